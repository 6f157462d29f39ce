"""Requests that are sent again after 429 and 503, against a real server on this machine."""

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from email.utils import formatdate

import pytest

from nango_jupyter.exceptions import NangoTimeoutError
from nango_jupyter.server import retries
from nango_jupyter.server.retries import backoff
from tests.server.scripted import Answer, Context, ScriptedApi, Seen, acting, answers

OK = Answer({"fine": True})
NOW = {"Retry-After": "0"}


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for milliseconds where seconds are meant."""
    monkeypatch.setattr(retries, "_FIRST_WAIT", 0.02)


def serving(
    *given: Answer, most: int = 3, limit: float = 5.0
) -> AbstractAsyncContextManager[tuple[Context, ScriptedApi]]:
    return acting(answers(*given), http_retries=most, http_timeout=limit)


@pytest.mark.parametrize("status", [429, 503])
async def test_a_request_is_sent_again_until_it_is_answered(status: int) -> None:
    busy = Answer(status=status)
    async with serving(busy, Answer(status=status, headers=NOW), OK) as (context, api):
        response = await context.http_request("x", "PUT", {"a": 1}, {"b": 2})
    assert response.json == {"fine": True}
    assert [(one.method, one.query, one.body) for one in api.seen] == [
        ("PUT", {"a": "1"}, '{"b":2}')
    ] * 3
    line = f"info HTTP {status} to PUT {api.url}/v1/x: trying again in 0.0 s (retry %d of 3)"
    assert context.log == [line % 1, line % 2]


@pytest.mark.parametrize("most", [0, 1, 4])
async def test_after_the_last_retry_the_answer_is_returned(most: int) -> None:
    async with serving(Answer("busy", status=429, headers=NOW), most=most) as (context, api):
        response = await context.http_request("x")
    assert (response.status_code, response.text) == (429, "busy")
    assert len(api.seen) == most + 1
    assert len(context.log) == most


@pytest.mark.parametrize("status", [200, 400, 401, 404, 425, 500, 502, 504])
async def test_other_answers_are_returned_at_once(status: int) -> None:
    async with serving(Answer(status=status, headers=NOW)) as (context, api):
        assert (await context.http_request("x")).status_code == status
    assert len(api.seen) == 1
    assert context.log == []


@pytest.mark.parametrize(
    ("method", "status", "headers", "sent"),
    [
        ("POST", 503, {}, 1),
        ("patch", 503, {}, 1),
        ("POST", 503, {"Retry-After": "soon"}, 1),
        ("POST", 503, NOW, 2),
        ("PATCH", 503, NOW, 2),
        ("POST", 429, {}, 2),
        ("PATCH", 429, {}, 2),
        ("GET", 503, {}, 2),
        ("DELETE", 503, {}, 2),
    ],
)
async def test_what_may_have_been_carried_out_is_not_sent_again(
    method: str, status: int, headers: dict[str, str], sent: int
) -> None:
    async with serving(Answer(status=status, headers=headers), OK) as (context, api):
        await context.http_request("x", method)
    assert len(api.seen) == sent


async def test_retry_after_is_obeyed_in_seconds_and_as_a_date() -> None:
    due = int(time.time()) + 2  # a date has whole seconds
    first, second = {"Retry-After": formatdate(due, usegmt=True)}, {"Retry-After": "0.3"}
    busy = (Answer(status=429, headers=first), Answer(status=503, headers=second))
    async with serving(*busy, OK) as (context, api):
        assert (await context.http_request("x")).status_code == 200
    _, after_date, after_seconds = [one.time for one in api.seen]
    assert due - 0.05 <= after_date < due + 2
    assert 0.3 <= after_seconds - after_date < 2


@pytest.mark.parametrize("text", ["Wed, 21 Oct 2015 07:28:00 GMT", "-5", "nan", "inf", "soon", ""])
async def test_a_retry_after_that_says_nothing_useful(text: str) -> None:
    async with serving(Answer(status=429, headers={"Retry-After": text}), OK) as (context, api):
        started = time.monotonic()
        assert (await context.http_request("x")).status_code == 200
    assert time.monotonic() - started < 2
    assert len(api.seen) == 2


@pytest.mark.parametrize("far", ["61", "1e9", "Fri, 31 Dec 2100 23:59:59 GMT"])
async def test_nobody_waits_for_an_hour(far: str) -> None:
    async with serving(Answer("later", 503, {"Retry-After": far})) as (context, api):
        response = await context.http_request("x")
    assert (response.status_code, response.text) == (503, "later")
    assert len(api.seen) == 1
    [line] = context.log
    assert line.startswith(
        f"info HTTP 503 to GET {api.url}/v1/x: not trying again, Retry-After is "
    )


async def test_each_try_has_its_own_time_limit() -> None:
    wait = {"Retry-After": "0.2"}
    busy = [Answer(status=429, headers=wait)] * 3
    async with serving(*busy, OK, limit=0.4) as (context, _):
        assert (await context.http_request("x")).status_code == 200

    def slow(seen: Seen) -> Answer:
        time.sleep(0.6)
        return OK

    async with serving(OK, limit=0.2) as (context, api):
        api.script = slow
        with pytest.raises(NangoTimeoutError, match=r"had no answer within 0.2 s"):
            await context.http_request("x")


async def test_a_wait_can_be_cancelled() -> None:
    async with serving(Answer(status=429, headers={"Retry-After": "50"})) as (context, api):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(context.http_request("x"), 0.5)
    assert len(api.seen) == 1


def test_waits_double_and_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "_FIRST_WAIT", 0.5)
    for retry, longest in [(1, 0.5), (2, 1.0), (3, 2.0), (6, 16.0), (7, 30.0), (100, 30.0)]:
        waits = {backoff(retry) for _ in range(50)}
        assert longest / 2 <= min(waits) < max(waits) <= longest
