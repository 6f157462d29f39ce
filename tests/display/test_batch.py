"""What a batch looks like, in both faces."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from contextlib import redirect_stdout
from dataclasses import replace
from typing import Any

import pytest

from nango_jupyter import secrets
from nango_jupyter.batch import BatchItem, BatchItems, BatchResult
from nango_jupyter.calls import TriggerCall
from nango_jupyter.display import LIMITS
from nango_jupyter.display.batch import render_batch, render_items
from nango_jupyter.display.durations import read_durations
from nango_jupyter.exceptions import NangoConnectionError, NangoInputError, NangoServerError
from nango_jupyter.results import NangoResult
from nango_jupyter.secrets import MASK
from tests.display.markup import Page
from tests.display.test_safety import HOSTILE, NOT_SHOWN

_SVG = re.compile(r'<svg class="ng-bars".*?</svg>', re.DOTALL)


def good(index: int, value: Any = 1, seconds: float = 0.05, **row: Any) -> BatchItem:
    result = NangoResult(True, None, value, request="crm.x", user_id=1, duration=seconds)
    return BatchItem(index, row or {"n": index}, None, result)


def bad(index: int, message: str = "no such channel", **row: Any) -> BatchItem:
    result = NangoResult(False, message, request="crm.x", user_id=1, duration=0.01)
    return BatchItem(index, row or {"n": index}, None, result, NangoServerError(message))


def batch(*items: BatchItem, **more: Any) -> BatchResult:
    facts = {"request": "crm.x", "total": len(items), "ran": len(items), "duration": 0.5, **more}
    return BatchResult(BatchItems(items), **facts)


def read(bundle: dict[str, str]) -> Page:
    """Read a card; the picture in it is checked here, and left out."""
    assert set(bundle) == {"text/html", "text/plain"}
    html = bundle["text/html"]
    for picture in _SVG.findall(html):
        svg = ET.fromstring(picture)
        assert [child.tag for child in svg] == ["path"]
        assert set(svg.attrib) == {"class", "role", "aria-label", "width", "height", "viewBox"}
        assert set(svg[0].attrib) == {"d"}
        assert re.fullmatch(r"(M\d+ \d+v-\d+h\d+V\d+z)+", svg[0].attrib["d"])
    return Page(_SVG.sub("", html))


def plain(found: BatchResult) -> list[str]:
    return render_batch(found)["text/plain"].split("\n")


def test_all_went_well() -> None:
    found = batch(*(good(n, seconds=0.01 * (n + 1)) for n in range(100)))
    bundle = render_batch(found)
    page = read(bundle)
    assert "✓ 100 rows succeeded · crm.x · 0.50 s · 200 rows/s" in page.text
    line = "min 10 ms · median 0.51 s · 95 % within 0.95 s · max 1.00 s"
    assert line in page.text
    assert f'role="img" aria-label="Durations of 100 rows: {line}"' in bundle["text/html"]
    assert "showing 10 of 100 rows" in page.text
    assert page.text.count("show(all=True)") == 1
    assert "Next" not in page.text
    lines = plain(found)
    assert lines[0] == "✓ 100 rows succeeded · crm.x · 0.50 s · 200 rows/s"
    assert lines[1] == f"durations: {'█' * 20} {line}"
    assert lines[-1] == "(showing 10 of 100 rows; .show(all=True) shows all)"
    assert len(bundle["text/html"]) < 6_500


def test_failures_are_grouped_by_message() -> None:
    items = [bad(n, "no such channel" if n % 3 else f"HTTP {400 + n}") for n in range(40)]
    page = read(render_batch(batch(*items, good(40))))
    assert "✗ 40 of 41 rows failed" in page.text
    assert page.cells[1] == ["26", "no such channel", "rows 1, 2, 4, 5, 7 and 21 more"]
    assert page.cells[2] == ["1", "HTTP 400", "row 0"]
    assert "and 5 other messages, of 5 rows; .show(all=True) shows all" in page.text
    text = plain(batch(*items, good(40)))
    assert text[2] == "  26 failed: no such channel (rows 1, 2, 4, 5, 7 and 21 more)"
    everything = render_batch(batch(*items), LIMITS.wider(all=True))["text/plain"]
    assert "HTTP 439" in everything
    assert "show(all" not in everything


def test_a_traceback_is_told_by_its_last_line() -> None:
    text = "\n".join(["Traceback (most recent call last):", *["  File x"] * 20, "ValueError: no"])
    page = read(render_batch(batch(bad(0, text))))
    assert page.cells[1] == ["1", "ValueError: no", "row 0"]


@pytest.mark.parametrize(
    ("more", "state", "title"),
    [
        ({"reason": "stopped", "total": 50}, "idle", "2 rows succeeded, 48 not run"),
        ({"reason": "stopped", "total": None}, "idle", "2 rows succeeded, the others were not run"),
        ({"reason": "gone", "error": NangoConnectionError("gone"), "total": 3}, "bad",
         "2 rows succeeded, 1 not run"),
        ({}, "ok", "2 rows succeeded"),
    ],
    ids=["stopped", "stopped generator", "gone", "complete"],
)  # fmt: skip
def test_how_it_ended(more: dict[str, Any], state: str, title: str) -> None:
    html = render_batch(batch(good(0), good(1), **more))["text/html"]
    assert f'class="nango-card ng-{state} ' in html
    assert title in Page(_SVG.sub("", html)).text
    assert ("Ended early: " in html) is bool(more)


def test_no_rows() -> None:
    bundle = render_batch(batch())
    assert bundle["text/plain"] == "○ no rows, so nothing was triggered · crm.x"
    read(bundle)


def test_rows_that_were_never_sent_have_no_durations() -> None:
    item = BatchItem(
        0, {}, None, NangoResult(False, "x", duration=1e-5), NangoInputError("user_id is a float")
    )
    assert "<svg" not in render_batch(batch(item, good(1)))["text/html"]


def test_the_picture() -> None:
    assert read_durations([]) is None
    assert read_durations([0.1, 0.0]) is None
    same = read_durations([0.1] * 9)
    assert same is not None
    assert (same.counts, same.blocks, same.path) == ((9,), "█", "M0 28v-28h7V28z")
    few = read_durations([0.1, 0.1, 0.1, 0.5])
    assert few is not None
    assert (few.counts, few.blocks) == ((3, 0, 0, 1), "█  ▄")
    many = read_durations([0.001 * n for n in range(1, 10_001)])
    assert many is not None
    assert len(many.counts) == 24
    assert sum(many.counts) == 10_000
    rare = read_durations([0.1] * 10_000 + [1.0])
    assert rare is not None
    assert rare.blocks[-1] == "▂"
    assert "v-2h7" in rare.path


def test_results_stand_beside_their_rows() -> None:
    items = [good(0, {"id": 7, "tags": ["a"]}, name="Ada"), bad(1, "x" * 100, name="Bob")]
    page = read(render_batch(batch(*items)))
    assert page.cells[2] == ["", "name", "duration", "result.id", "result.tags", "error"]
    assert page.cells[3][:4] == ["0", "Ada", "50 ms", "7"]
    assert page.cells[4] == ["1", "Bob", "10 ms", "", "", f"{'x' * 39}…"]


def test_the_result_is_not_lost_behind_a_wide_row() -> None:
    row = {f"c{n}": n for n in range(60)}
    page = read(render_batch(batch(good(0, {"id": 7}, **row))))
    assert "result.id" in page.cells[0][:20]
    assert "20 of 62 columns" in page.text


def test_some_rows_have_their_numbers_and_errors_first() -> None:
    found = BatchItems(bad(n) for n in range(300, 450))
    bundle = found._repr_mimebundle_()
    page = read(bundle)
    assert page.cells[0] == ["", "row", "error", "n", "duration"]
    assert page.cells[1] == ["0", "300", "no such channel", "300", "10 ms"]
    assert "▤ 150 rows · 150 failed" in page.text
    assert "showing 100 of 150 rows" in page.text
    assert "(showing 20 of 150 rows; .show(all=True) shows all)" in bundle["text/plain"]
    assert render_items(BatchItems())["text/plain"] == "▤ 0 rows"


def test_show_draws_more() -> None:
    found = batch(*(good(n) for n in range(150)))
    for shown in (found, found.items):
        with redirect_stdout(io.StringIO()) as out:
            shown.show(all=True)
        assert len(out.getvalue().split("\n")) > 150
        assert "showing" not in out.getvalue()
    with redirect_stdout(io.StringIO()) as out:
        found.show(rows=30)
    assert "showing 30 of 150 rows" in out.getvalue()


def test_a_retry_tells_how_many_were_run_now() -> None:
    found = batch(*(good(n) for n in range(10)), ran=3)
    assert plain(found)[0] == "✓ 10 rows succeeded · crm.x · 0.50 s · 3 of them now · 6.0 rows/s"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert(text: str) -> None:
    row: dict[str, Any] = {text: text, "name": text}
    items = [
        good(0, {text: text}, **row), good(1, text, **row), bad(2, text, **row),
        bad(3, text * 50, **row), bad(4, f"a\n{text}" * 9, **row),
    ]  # fmt: skip
    found = batch(*items, request=text, reason=text, total=None)
    for bundle in (render_batch(found), render_items(found.items)):
        assert not read(bundle).links
        for face in bundle.values():
            assert not NOT_SHOWN.search(face)
            face.encode()


def test_secrets_are_masked() -> None:
    secrets.remember("s3cr3t-T0ken")
    items = [
        good(0, {"access_token": "hunter2"}, token="hunter2", name="x s3cr3t-T0ken"),
        bad(1, "refused s3cr3t-T0ken", name="x" * 110 + "s3cr3t-T0ken"),
    ]
    found = batch(*items, request="s3cr3t-T0ken", reason="no s3cr3t-T0ken")
    faces = [*render_batch(found).values(), *render_items(found.items).values()]
    faces += [repr(found), repr(found.items), repr(items[1])]
    for face in faces:
        assert "s3cr" not in face
        assert "hunter2" not in face
        assert MASK in face or "BatchItem" in face


def test_a_megabyte_costs_little() -> None:
    items = [good(n, {"text": "x" * 1_000_000}, text="y" * 1_000_000) for n in range(20)]
    bundle = render_batch(batch(*items, bad(20, "z" * 1_000_000)))
    assert sum(map(len, bundle.values())) < 20_000


def test_failures_are_grouped_whoever_the_user_is() -> None:
    items = []
    for number in range(50):
        item = bad(number, f'no connection for user_id "user-{number}" and others')
        call = TriggerCall(integration="crm", action="x", user_id=f"user-{number}")
        items.append(replace(item, call=call))
    text = render_batch(batch(*items))["text/plain"]
    assert '50 failed: no connection for user_id "…" and others' in text


def test_failures_tell_what_to_try() -> None:
    items = [bad(number) for number in range(3)]
    for item in items:
        assert item.error is not None
        item.error.hint = "Did you mean <b>ada</b>?"
    bundle = render_batch(batch(*items))
    assert "(rows 0, 1, 2)\n    Did you mean <b>ada</b>?\n" in bundle["text/plain"]
    assert "<small>Did you mean &lt;b&gt;ada&lt;/b&gt;?</small>" in bundle["text/html"]
    assert items[2].error is not None
    items[2].error.hint = ""
    assert "    Row 0: Did you mean" in render_batch(batch(*items))["text/plain"]


def test_as_many_rows_as_are_asked_for() -> None:
    found = batch(*map(good, range(150)))
    for rows in (99, 100, 101):
        text = render_batch(found, LIMITS.wider(rows=rows))["text/plain"]
        assert f"showing {rows} of 150" in text


def test_no_half_of_a_secret_is_left_in_a_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_known", type(secrets._known)())
    secrets.remember("s3cr3t-T0ken-that-is-long")
    assert "s3cr" not in repr(bad(0, "x" * 110 + "s3cr3t-T0ken-that-is-long"))
