"""Nothing that is drawn acts, deceives, or tells a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from nango_jupyter import secrets
from nango_jupyter.display import render_card, render_error, render_result, render_rows
from nango_jupyter.display.html import _css
from nango_jupyter.exceptions import NangoServerError, NangoUsageError
from nango_jupyter.executions import Execution, LogLine
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
    for value in (text, [{text: text}], [[text]]):
        check(render_rows([value], text, [text, text]))
        found = NangoResult(True, None, {text: [value]}, request=text)
        check(found.table()._repr_mimebundle_())
    error = NangoServerError(text, text)
    assert not check(render_error(error)).links
    line = LogLine(datetime.now(UTC), text, text)
    execution = Execution(id=text, start=line.time, duration=1, log=(line,), notes=(text,))
    error.result = NangoResult(
        False, text, text, request=text, user_id=text, execution=execution, duration=1
    )
    assert not check(render_error(error)).links
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
    error = NangoServerError(f"no {secret}", f"not {secret}")
    error.result = NangoResult(False, secret, None, request=secret, user_id=secret)
    for found in (render_error(error), render_rows([{secret: secret}], secret, [secret])):
        for text in found.values():
            assert "s3cr" not in text
            assert MASK in text
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


def test_plain_values_under_a_secret_name_are_masked() -> None:
    result = NangoResult(True, None, {"tokens": ["hunter2"], "a": {"tokens": [["hunter2"]]}})
    for path in ("tokens", "a.tokens", "a.tokens[0]", "a.tokens.0"):
        assert "hunter2" not in str(result.table(path)._repr_mimebundle_())


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_in_errors_are_inert(text: str) -> None:
    result = NangoResult(True, None, {text: [{text: 1}], "b": []})
    for ask in (result.to_pandas, lambda: result.table(f"['x{text}"), lambda: result[f"x{text}"]):
        with pytest.raises(NangoUsageError) as caught:
            ask()
        shown = "\n".join(caught.value._render_traceback_())
        assert not NOT_SHOWN.search(shown)
        check(render_error(caught.value))


def test_columns_that_need_a_second_look_get_it(secret: str) -> None:
    for cell in ("https://x.y", "\u202e", "null", "", " ", "x" * 500, secret, "a\nb", 10**5_000):
        values = [cell, "plain"] if isinstance(cell, str) else [cell, 1]
        read = check(render_result(NangoResult(True, None, [{"a": value} for value in values])))
        assert read.cells[2][1] == str(values[1])
        assert read.cells[1][1] != cell or read.links or cell == "a\nb"
    assert check(render_result(NangoResult(True, None, [{"a": "<b>&'\"%s%d\\"}] * 2))).cells[2] == [
        "1",
        "<b>&'\"%s%d\\",
    ]


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
    assert len(style) < 2_600
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
