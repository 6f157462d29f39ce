"""Going through pages, against a real server on this machine."""

from collections.abc import Callable
from typing import Any

import pytest

from nango_jupyter import Cursor, LinkHeader, NangoHttpError, NangoUsageError, PageNumber
from nango_jupyter.exceptions import NangoError
from nango_jupyter.secrets import remember
from tests.server.scripted import Answer, Context, Seen, acting, answers

Script = Callable[[Seen], Answer]


async def everything(script: Script, *args: Any, **kwargs: Any) -> tuple[list[Any], list[Seen]]:
    """Return all items, and the requests that it took."""
    async with acting(script) as (context, api):
        found = [item async for item in context.paginate("list", *args, **kwargs)]
        return found, api.seen


async def failure(script: Script, *args: Any, **kwargs: Any) -> tuple[NangoError, list[Any]]:
    """Return the error that ends the iteration, and the items that came before it."""
    found: list[Any] = []

    async def iterate(context: Context) -> None:
        async for item in context.paginate("list", *args, **kwargs):
            found.append(item)  # noqa: PERF401 - those before the error count

    async with acting(script) as (context, _):
        with pytest.raises(NangoError) as caught:
            await iterate(context)
    return caught.value, found


def numbered(pages: list[Any], param: str = "page", first: int = 1) -> Script:
    def script(seen: Seen) -> Answer:
        index = int(seen.query[param]) - first
        items = pages[index] if index < len(pages) else []
        return Answer({"contacts": items, "meta": {"pages": len(pages)}})

    return script


async def test_page_numbers_end_with_an_empty_page() -> None:
    found, seen = await everything(numbered([[1, 2], [3]]), PageNumber("page"), "contacts")
    assert found == [1, 2, 3]
    assert [one.query for one in seen] == [{"page": "1"}, {"page": "2"}, {"page": "3"}]
    assert {one.path for one in seen} == {"/v1/list"}


@pytest.mark.parametrize("start", [0, 1])
async def test_page_numbers_end_with_the_last_number(start: int) -> None:
    style = PageNumber("p", start=start, pages="meta.pages")
    # Pages with the same items are nothing to wonder about where the end is known.
    found, seen = await everything(numbered([[1], [1], [2]], "p", start), style, items="contacts")
    assert found == [1, 1, 2]
    assert [int(one.query["p"]) for one in seen] == [start, start + 1, start + 2]


async def test_an_empty_list_has_one_page() -> None:
    for body in ('{"contacts": []}', '{"contacts": null}'):
        found, seen = await everything(answers(Answer(body)), PageNumber(), "contacts")
        assert (found, len(seen)) == ([], 1)


async def test_a_cursor_leads_on_until_there_is_none() -> None:
    ends: list[Any] = [{}, {"meta": {}}, {"meta": {"next": None}}, {"meta": {"next": ""}}]
    for end in ends:
        script = answers(
            Answer({"data": {"items": ["a"]}, "meta": {"next": "c+1/="}}),
            Answer({"data": {"items": []}, "meta": {"next": 7}}),
            Answer({"data": {"items": ["b"]}, **end}),
        )
        style = Cursor("meta.next", param="after")
        found, seen = await everything(script, style, "data.items", params={"size": 2})
        assert found == ["a", "b"]
        assert [one.query for one in seen] == [
            {"size": "2"},
            {"size": "2", "after": "c+1/="},
            {"size": "2", "after": "7"},
        ]


async def test_links_are_followed_as_they_are() -> None:
    def script(seen: Seen) -> Answer:
        if "after" not in seen.query:
            here = f"http://{seen.headers['host']}/v1/list?after=1&size=2"
            link = f'<{here}>; rel="next", <{here}&x=1>; rel="last"'
            return Answer([{"id": 1}, {"id": 2}], headers={"Link": link})
        if seen.query["after"] == "1":
            return Answer([{"id": 3}], headers={"Link": '</v1/more?after=2>; rel="next"'})
        return Answer([], headers={"Link": '</v1/list>; rel="first"'})

    found, seen = await everything(script, LinkHeader(), params={"size": 2})
    assert [one["id"] for one in found] == [1, 2, 3]
    assert [(one.path, dict(one.query)) for one in seen] == [
        ("/v1/list", {"size": "2"}),
        ("/v1/list", {"after": "1", "size": "2"}),
        ("/v1/more", {"after": "2"}),
    ]


async def test_each_page_is_a_request_like_any_other() -> None:
    headers = {"X-Own": "1"}
    script = answers(
        Answer(status=429, headers={"Retry-After": "0"}),
        Answer({"items": [1], "next": "a"}),
        Answer({"items": [2]}),
    )
    found, seen = await everything(script, Cursor("next"), "items", headers=headers)
    assert found == [1, 2]
    assert len(seen) == 3
    for one in seen:
        assert one.headers["authorization"] == "Bearer token-0123"
        assert one.headers["x-own"] == "1"


async def test_a_page_is_asked_for_when_it_is_needed() -> None:
    async with acting(numbered([[1, 2], [3]])) as (context, api):
        async for item in context.paginate("list", PageNumber(), "contacts"):
            if item == 2:
                break
        assert len(api.seen) == 1


async def test_a_link_to_another_host_is_not_followed() -> None:
    link = '<https://evil.example.com/list>; rel="next"'
    error, found = await failure(answers(Answer([1], headers={"Link": link})), LinkHeader())
    assert found == [1]
    assert isinstance(error, NangoUsageError)
    assert "credentials are not sent there" in error.message


async def test_what_would_go_on_for_ever_is_an_error() -> None:
    same = answers(Answer({"items": [1], "next": "a"}))
    error, found = await failure(same, PageNumber(), "items")
    assert found == [1]
    assert "/v1/list has the same items as one before it: PageNumber(param='page'" in error.message
    error, found = await failure(same, Cursor("next"), "items")
    assert found == [1]
    assert "leads to a cursor that was there before: Cursor(path='next'" in error.message
    link = '</v1/list?page=2>; rel="next"'
    error, found = await failure(answers(Answer([1], headers={"Link": link})), LinkHeader())
    assert found == [1]
    assert "links to a page that was there before: LinkHeader() would go on" in error.message


async def test_an_api_that_goes_round_is_noticed_on_the_second_round() -> None:
    def script(seen: Seen) -> Answer:
        cursor = int(seen.query.get("cursor", 0))
        return Answer({"items": [cursor], "next": cursor % 3 + 1})

    error, found = await failure(script, Cursor("next"), "items")
    assert found == [0, 1, 2]
    assert "was there before" in error.message


@pytest.mark.parametrize("status", [400, 404, 500])
async def test_a_page_that_fails_is_an_error_with_the_response(status: int) -> None:
    remember("secret-of-the-api")
    body = {"error": "no such list", "token": "issued", "note": "secret-of-the-api", "x": "y" * 999}
    script = answers(Answer({"items": [1], "next": "a"}), Answer(body, status=status))
    error, found = await failure(script, Cursor("next"), "items")
    assert found == [1]
    assert isinstance(error, NangoHttpError)
    assert error.response is not None
    assert (error.response.status_code, error.response.json["token"]) == (status, "issued")
    assert f"/v1/list was answered with {status} " in error.message
    assert '{"error": "no such list", "token": "••••••", "note": "••••••"' in error.message
    assert len(error.message) < 450


@pytest.mark.parametrize(
    ("body", "items", "message"),
    [
        ({"a": [], "b": 1}, "items", 'has no "items": the body is an object with the keys: a, b'),
        ({}, "items", 'has no "items": the body is an object with the keys: none'),
        ([1], "items", 'has no "items": the body is a list'),
        (
            {"data": {"list": [], "count": 0}},
            "data.items",
            'has no "data.items": "data" is an object with the keys: list, count',
        ),
        ({"data": None}, "data.items", 'has no "data.items": "data" is null'),
        ({"data": "text-0123"}, "data", '"data" of the page GET'),
        ({"data": "text-0123"}, "data", "is a text, not a list"),
        ({"data": []}, "", "is an object with the keys: data, not a list"),
        ({"data": 5}, "data", "is a number, not a list"),
        ("<html>", "", "The answer isn't JSON: GET"),
    ],
)
async def test_items_that_are_not_there(body: Any, items: str, message: str) -> None:
    error, found = await failure(answers(Answer(body)), Cursor("next"), items)
    assert isinstance(error, NangoUsageError)
    assert found == []
    assert message in error.message
    assert "text-0123" not in error.message


async def test_settings_of_a_style_that_do_not_fit() -> None:
    body = {"items": [1], "next": {"id": 1}, "pages": "many"}
    error, _ = await failure(answers(Answer(body)), Cursor("next"), "items")
    assert "is an object with the keys: id, not a text or a number" in error.message
    error, _ = await failure(answers(Answer(body)), PageNumber(pages="pages"), "items")
    assert '"pages" of the page GET' in error.message
    assert "is a text, not a number" in error.message
    error, _ = await failure(answers(Answer(body)), PageNumber(pages="meta.pages"), "items")
    assert 'has no "meta.pages": the body is an object with the keys: items, next' in error.message
