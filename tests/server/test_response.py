"""The response's json: an attribute as in the reference, and a method as in Python's libraries."""

import json
from typing import Any

import httpx
import pytest

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.secrets import remember
from nango_jupyter.server.response import NangoResponse
from nango_jupyter.wire_json import encode


def response(body: str | bytes, **headers: str) -> NangoResponse:
    request = httpx.Request("GET", "https://api.example.com/users?api_key=0123")
    return NangoResponse.of(httpx.Response(200, content=body, headers=headers, request=request))


def test_an_object_is_a_dict_that_can_be_called() -> None:
    found = response('{"name": "ada", "tags": [1, 2]}').json
    assert found["name"] == found()["name"] == found.get("name") == "ada"
    assert found == {"name": "ada", "tags": [1, 2]}
    assert type(found()) is dict
    assert [*found] == ["name", "tags"]
    assert encode(found, "reply") == b'{"name":"ada","tags":[1,2]}'


def test_an_array_is_a_list_that_can_be_called() -> None:
    found = response('[{"id": 1}, {"id": 2}]').json
    assert [one["id"] for one in found] == [1, 2]
    assert len(found) == 2
    assert found[-1] == found()[-1] == {"id": 2}
    assert type(found()) is list
    assert encode(found, "reply") == b'[{"id":1},{"id":2}]'


@pytest.mark.parametrize("value", ["text", "", 5, 0, 1.5, True, False, None, {}, [], {"a": 1}])
def test_every_json_is_as_true_as_its_value(value: Any) -> None:
    found = response(json.dumps(value)).json
    assert bool(found) is bool(value)
    assert found() == value
    assert repr(found) == repr(value)


@pytest.mark.parametrize("body", ["", "<html>", "{", b"\xff\xfe\xff", "[" * 100_000])
def test_what_is_not_json_is_false_and_says_so_when_it_is_used(body: str | bytes) -> None:
    found = response(body).json
    assert not found
    uses: list[Any] = [found, lambda: found["name"], lambda: list(found), lambda: "name" in found]
    for use in uses:
        with pytest.raises(ValueError, match="The answer isn't JSON: GET https://api") as caught:
            use()
        assert isinstance(caught.value, NangoUsageError)
        assert len(str(caught.value)) < 450


def test_the_error_shows_the_beginning_of_the_body_without_secrets() -> None:
    remember("token-0123")
    found = response(f"<p>token-0123 is not valid</p>{'x' * 1000}").json
    with pytest.raises(ValueError, match=r"with 200 OK: <p>•••••• is not valid</p>x+…$") as caught:
        found()
    assert "GET https://api.example.com/users was answered" in str(caught.value)
    assert "isn't JSON" in repr(found)


def test_the_body_is_parsed_when_it_is_asked_for_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = []
    loads = json.loads

    def counting_loads(text: bytes) -> Any:
        parsed.append(text)
        return loads(text)

    monkeypatch.setattr(json, "loads", counting_loads)
    found = response('{"a": 1}')
    assert parsed == []
    assert found.json is found.json
    assert found.json() == {"a": 1}
    assert parsed == [b'{"a": 1}']


def test_everything_else_is_httpxs() -> None:
    found = response(
        b"\xe9", **{"content-type": "text/plain; charset=latin-1", "link": "</2>; rel=next"}
    )
    assert isinstance(found, httpx.Response)
    assert (found.text, found.status_code, found.reason_phrase) == ("é", 200, "OK")
    assert found.links["next"]["url"] == "/2"
    assert found.raise_for_status() is found
