"""What the original client and servers said to each other, read and written by ours."""

import json
from pathlib import Path
from typing import Any

import pytest

from nango_jupyter.messages import (
    REQUEST_KINDS,
    NangoConnection,
    NangoMessageHandlerResult,
    RegisterConnection,
    Request,
    decode_request,
)

LINES = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "wire.jsonl").read_text("utf-8").splitlines()
]
REQUESTS = [line["body"] for line in LINES if line["direction"] == "request"]
REPLIES = [line["body"] for line in LINES if line["direction"] == "reply"]


def arguments(found: dict[str, Any]) -> dict[str, Any]:
    """Spell a recorded request's fields as Python does."""
    names = {
        "userId": "user_id",
        "oAuthAccessToken": "oauth_access_token",
        "additionalConfig": "additional_config",
        "triggeredAction": "triggered_action",
    }
    return {names.get(name, name): value for name, value in found.items() if name != "action"}


def test_every_line_is_one_or_the_other() -> None:
    assert len(LINES) == len(REQUESTS) + len(REPLIES) == 23


@pytest.mark.parametrize("body", REQUESTS)
def test_we_write_what_the_original_client_wrote(body: str) -> None:
    recorded = json.loads(body)
    request = REQUEST_KINDS[recorded["action"]](**arguments(recorded))
    assert json.loads(request.encode()) == recorded


@pytest.mark.parametrize("body", REQUESTS)
def test_we_read_what_the_original_client_wrote(body: str) -> None:
    recorded = json.loads(body)
    request = decode_request(body.encode())
    assert type(request) is REQUEST_KINDS[recorded["action"]]
    assert request.to_wire() == recorded
    for name, value in arguments(recorded).items():
        found = getattr(request, name)
        assert found == value
        assert type(found) is type(value)


def test_a_registration_reads_the_same_in_both_generations() -> None:
    old, new = (
        decode_request(body.encode())
        for body in REQUESTS
        if '"REGISTER_CONNECTION"' in body and '"user-1"' in body
    )
    assert isinstance(old, RegisterConnection)
    assert isinstance(new, RegisterConnection)
    assert (old.oauth_access_token, old.credentials) == ("xoxb-abc", None)
    assert (new.oauth_access_token, new.credentials) == (None, {"access_token": "xoxb-abc"})


@pytest.mark.parametrize("body", REPLIES)
def test_we_read_and_write_what_the_original_servers_answered(body: str) -> None:
    recorded = json.loads(body)
    result = NangoMessageHandlerResult.decode(body.encode())
    assert result.success is recorded["success"]
    assert result.error_msg == recorded.get("errorMsg")
    assert result.return_value == recorded.get("returnValue")
    assert json.loads(result.encode()) == recorded


def test_the_listed_connections_read_and_write() -> None:
    found = [
        entry
        for body in REPLIES
        if isinstance(listed := json.loads(body).get("returnValue"), list)
        for entry in listed
    ]
    assert len(found) == 2
    for entry in found:
        assert NangoConnection.from_wire(entry).to_wire() == entry


def test_all_kinds_of_requests_were_recorded() -> None:
    kinds: set[type[Request]] = {type(decode_request(body.encode())) for body in REQUESTS}
    assert kinds == set(REQUEST_KINDS.values())
