"""The wire form of an execution."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from nango_jupyter.executions import Execution, LogLine
from nango_jupyter.messages import NangoMessageHandlerResult
from nango_jupyter.secrets import remember

START = datetime(2026, 11, 25, 7, 9, 53, 123_000, tzinfo=UTC)
EXECUTION = Execution(
    id="5snqtx78",
    start=START,
    duration=0.25,
    log=(LogLine(START, "info", "read 3 pages"), LogLine(START, "warn", "slow")),
    omitted=7,
    notes=("the previous version ran",),
)
WIRE = {
    "id": "5snqtx78",
    "start": "2026-11-25T07:09:53.123Z",
    "duration": 0.25,
    "log": [
        {"time": "2026-11-25T07:09:53.123Z", "level": "info", "text": "read 3 pages"},
        {"time": "2026-11-25T07:09:53.123Z", "level": "warn", "text": "slow"},
    ],
    "omitted": 7,
    "notes": ["the previous version ran"],
}


def test_there_and_back() -> None:
    assert EXECUTION.to_wire() == WIRE
    assert Execution.from_wire(WIRE) == EXECUTION
    bare = replace(EXECUTION, log=(), omitted=0, notes=())
    assert set(bare.to_wire()) == {"id", "start", "duration"}
    assert Execution.from_wire(bare.to_wire()) == bare


def test_it_goes_with_a_result() -> None:
    result = NangoMessageHandlerResult(True, return_value=1, execution=EXECUTION)
    found = NangoMessageHandlerResult.decode(result.encode())
    assert found.execution == EXECUTION
    assert found == NangoMessageHandlerResult(True, return_value=1)  # the answer is the same


def test_a_line_reads_as_in_a_log() -> None:
    assert str(EXECUTION.log[1]) == "2026-11-25T07:09:53.123Z warn slow"


@pytest.mark.parametrize(
    "found",
    [
        None,
        "text",
        [],
        {},
        {**WIRE, "start": "yesterday"},
        {**WIRE, "start": 1},
        {**WIRE, "duration": []},
        {**WIRE, "log": ["text"]},
        {**WIRE, "log": 5},
        {**WIRE, "log": [{}]},
        {**WIRE, "omitted": "many"},
        {**WIRE, "notes": 1},
    ],
)
def test_what_is_not_ours_is_ignored(found: Any) -> None:
    assert Execution.from_wire(found) is None


def test_secrets_of_this_process_are_masked() -> None:
    remember("only-known-here")
    log = [{"time": WIRE["start"], "level": "info", "text": "sent only-known-here"}]
    found = Execution.from_wire({**WIRE, "log": log, "notes": ["and only-known-here"]})
    assert found is not None
    assert (found.log[0].text, found.notes) == ("sent ••••••", ("and ••••••",))
