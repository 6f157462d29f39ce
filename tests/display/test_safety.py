"""Nothing that is drawn acts, deceives, or tells a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from nango_jupyter import secrets
from nango_jupyter.display import render_card, render_result
from nango_jupyter.display.html import _css
from nango_jupyter.results import NangoResult
from nango_jupyter.secrets import MASK
from tests.display.markup import Page

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</style><script>alert(1)</script>",
    "</summary></details></td></table><svg onload=alert(1)>",
    '"><b onmouseover="alert(1)">',
    "' onclick='alert(1)",
    "javascript:alert(1)",
    " https://x.y/",
    'http://x.y/" onclick="alert(1)',
    "https://x.y/<script>",
    "data:text/html,<script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}",
    "<!-- --><![CDATA[",
    "&lt;b&gt;&#60;",
    "\x00\x07\x1b[31mred\x9b31m",
    "abc\u202etxt.exe\u2066\u200f",
    "\ud800 and \udfff",
    "\u2028\u2029\ufeff\u200b",
    Markup("<b>marked</b><script>alert(1)</script>"),
]
NOT_SHOWN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


def check(bundle: dict[str, str]) -> Page:
    for text in bundle.values():
        assert not NOT_SHOWN.search(text)
        text.encode()
    return Page(bundle["text/html"])


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert_everywhere(text: str) -> None:
    values = [
        text, [text], {text: text}, [{text: text, "b": {text: [text]}}], [[{text: [text]}]],
        {"a": [{text: text}] * 3}, text * 100, {text * 100: text * 100}, [{text * 100: text * 100}],
    ]  # fmt: skip
    for value in values:
        for ok in (True, False):
            result = NangoResult(ok, text, value, request=text, user_id=text, duration=1)
            assert not check(render_result(result)).links
    facts: list[tuple[str, object]] = [
        (text, text), ("b", [text]), ("c", {text: [text]}), ("d", {text: {text: text}}),
    ]  # fmt: skip
    assert not check(render_card(text, "ok", facts)).links


def test_only_web_addresses_are_links() -> None:
    value = [
        "https://x.y/?a=1&b=%22",
        "HTTP://x.y",
        "ftp://x.y",
        "//x.y",
        "see https://x.y",
        "http",
    ]
    read = check(render_result(NangoResult(True, None, value)))
    assert [link["href"] for link in read.links] == value[:2]


def test_long_address_in_a_table_leads_to_the_whole() -> None:
    address = "https://x.y/" + "a" * 200
    read = check(render_result(NangoResult(True, None, [{"a": address, "b": address * 3}])))
    assert [link["href"] for link in read.links] == [address]
    assert f"{address[:120]}… (212 characters)" in read.text


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(secrets, "_known", type(secrets._known)())
    secrets.remember("s3cr3t-T0ken")
    return "s3cr3t-T0ken"


def test_known_secrets_are_masked_everywhere(secret: str) -> None:
    values: list[Any] = [
        secret, [secret], {secret: 1}, {"a": f"x{secret}y"}, [{"a": secret, secret: [secret]}],
        {"a": {"b": {"c": [{"d": f"https://x.y/?t={secret}"}]}}}, [[secret] * 3],
        {"a": "x" * 395 + secret + "y" * 20_000},
        {"a": "x" * (400 + 8_192 - 4) + secret}, [{"a": "x" * 115 + secret}],
    ]  # fmt: skip
    for value in values:
        for ok in (True, False):
            found = render_result(NangoResult(ok, f"no {secret}", value, request=secret))
            for text in found.values():
                assert "s3cr" not in text
            assert MASK in found["text/html"]
    found = render_card(
        secret, "bad", [(secret, secret), ("a", [secret]), ("b", {secret: [secret]})]
    )
    assert secret not in str(found)


def test_cut_never_leaves_half_a_secret(secret: str) -> None:
    for start in range(380, 405):
        found = render_result(NangoResult(True, None, "x" * start + secret * 2_000))
        assert "xs3" not in str(found)
        assert "•s3" not in str(found)


@pytest.mark.parametrize("name", ["access_token", "oAuthAccessToken", "password", "X-Api-Key"])
def test_values_under_secret_names_are_masked(name: str) -> None:
    for value in ("hunter2", 7777777, ["hunter2", 7777777], [["hunter2"]]):
        for around in (
            {name: value},
            [{name: value}],
            [{"a": {name: value}}],
            {"a": [[{name: value}]]},
        ):
            found = str(render_result(NangoResult(True, None, around)))
            assert "hunter2" not in found
            assert "7777777" not in found
        assert "hunter2" not in str(render_card("x", "ok", [(name, value), ("a", {name: value})]))


class Watched(list[Any]):
    """A list that says so when its hidden part is looked at."""

    def __iter__(self) -> Iterator[Any]:
        for at, item in enumerate(super().__iter__()):
            assert at <= 100
            yield item


def test_hidden_part_is_not_looked_at() -> None:
    rows = Watched([{"a": 1}] * 10_000)
    for value in (rows, {"a": rows}, Watched(range(10_000)), {"a": [{"b": rows}]}):
        assert "of 10,000" in render_result(NangoResult(True, None, value))["text/html"]


def test_no_selector_leaks_out_of_the_card() -> None:
    style = check(render_result(NangoResult(True, None, 1))).style
    assert style == _css()
    assert len(style) < 2_300
    assert "@" not in style
    assert "url(" not in style
    assert style.count("{") == style.count("}")
    for selectors in re.findall(r"([^{}]+)\{[^{}]*\}", style):
        for selector in re.split(r",(?![^(]*\))", selectors):
            assert re.match(r"\.nango-card(?![-\w])", selector), selector
    names = set(re.findall(r"\.([a-z][-\w]*)", re.sub(r"\{[^{}]*\}", " ", style)))
    assert all(name == "nango-card" or name.startswith("ng-") for name in names)


ANY_TEXT = st.text(st.characters(exclude_categories=())) | st.sampled_from(HOSTILE)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT
    | st.integers(10_000, 60_000).map(lambda power: 3**power),
    lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner)
    | st.lists(st.dictionaries(st.sampled_from("abc"), inner), min_size=1),
    max_leaves=30,
)  # fmt: skip


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(value=JSON, ok=st.booleans(), text=ANY_TEXT)
def test_any_json_value_is_drawn(value: Any, ok: bool, text: str) -> None:
    check(render_result(NangoResult(ok, text, value, request=text, user_id=text, duration=0.1)))
    check(render_card(text, "idle", [(text, value), (text, [text]), (text, {text: [text]})]))
