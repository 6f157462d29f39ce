"""The card of a batch: how it went, how long rows took, why some failed, and the first results."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from nango_jupyter.batch.items import renamed
from nango_jupyter.display.durations import read_durations
from nango_jupyter.display.error_text import read_error
from nango_jupyter.display.html import render
from nango_jupyter.display.limits import LIMITS, SHOW_ALL, Limits
from nango_jupyter.display.nodes import draw
from nango_jupyter.display.plain import value_text
from nango_jupyter.display.state import ICONS, State
from nango_jupyter.display.values import clip, count, duration_text, key_text, line_text, normal
from nango_jupyter.exceptions import NangoUsageError

if TYPE_CHECKING:
    from nango_jupyter.batch import BatchItem, BatchResult

__all__ = ["render_batch", "render_items"]

_ICON = "▤"
_REQUEST_CHARS = 120
_MESSAGE_CHARS = 400
# Unless more is asked for.
_RESULTS = 10
_FAILURES = 10
_NUMBERS = 5
# Of an error in the table of results, where it is not what matters.
_BRIEF_ERROR = 40
_AGAIN = (
    "%nango_trigger --retry-failed $NAME, with the name of the variable that holds this, runs "
    "again what failed, and what was not begun"
)


class _Failure(NamedTuple):
    """Rows that failed with the same message."""

    number: int
    message: str
    rows: str
    hint: str


def render_batch(batch: BatchResult, asked: Limits | None = None) -> dict[str, str]:
    """Draw what came of a batch.

    Parameters
    ----------
    batch : BatchResult
    asked : Limits, optional
        How much of it to draw; without it, only a few of the results.

    Returns
    -------
    dict of str to str
        A MIME bundle: ``text/html`` and ``text/plain``.
    """
    limits = asked or LIMITS
    failed = sum(not item.success for item in batch.items)
    state, title = _state(batch, failed)
    about = _about(batch)
    reason = f"Ended early: {_line(batch.reason)}" if batch.reason else ""
    durations = read_durations([item.duration for item in batch.items if _was_sent(item)])
    failures, others = _failures(batch.items, limits)
    most = limits.rows if asked else _RESULTS
    shown = _Part((_record(item, limits) for item in batch.items[:most]), len(batch.items))
    again = _AGAIN if batch.left and (failed or batch.not_run != 0) else ""
    html = render(
        "batch",
        state=state,
        icon=ICONS[state],
        title=title,
        about=about,
        reason=reason,
        durations=durations,
        failures=failures,
        others=others,
        drawing=draw(shown, limits) if shown else None,
        again=again,
    )
    text = [" · ".join([f"{ICONS[state]} {title}", *about])]
    text += [reason] if reason else []
    text += [f"durations: {durations.blocks} {durations.text}"] if durations else []
    for one in failures:
        text += [f"  {one.number:,} failed: {one.message} ({one.rows})"]
        text += [f"    {one.hint}"] if one.hint else []
    text += [f"  ({others})"] if others else []
    text += [value_text(shown, limits)] if shown else []
    text += [f"Next: {again}"] if again else []
    return {"text/html": html, "text/plain": "\n".join(text)}


def render_items(items: Sequence[BatchItem], limits: Limits = LIMITS) -> dict[str, str]:
    """Draw some rows of a batch as a table: each with its number, and its result beside it.

    Parameters
    ----------
    items : sequence of BatchItem
    limits : Limits, optional
        How much of them to draw.

    Returns
    -------
    dict of str to str
        A MIME bundle: ``text/html`` and ``text/plain``.
    """
    failed = sum(not item.success for item in items)
    title = count(len(items), "row")
    about = [f"{failed:,} failed"] if failed else []
    shown = _Part((_numbered(item, limits) for item in items[: limits.rows]), len(items))
    html = render(
        "batch",
        state="idle",
        icon=_ICON,
        title=title,
        about=about,
        reason="",
        durations=None,
        failures=(),
        others="",
        drawing=draw(shown, limits) if shown else None,
        again="",
    )
    text = [" · ".join([f"{_ICON} {title}", *about])]
    text += [value_text(shown, limits)] if shown else []
    return {"text/html": html, "text/plain": "\n".join(text)}


class _Part(list[dict[str, Any]]):
    """The first rows of many, as long as all of them: what draws it says what it left out."""

    def __init__(self, rows: Iterable[dict[str, Any]], total: int) -> None:
        super().__init__(rows)
        self._total = total

    def __len__(self) -> int:
        return self._total


def _state(batch: BatchResult, failed: int) -> tuple[State, str]:
    """Return the state and what is the case, in a few words."""
    ran, left = len(batch.items), batch.not_run
    if not ran and not batch.reason:
        return "idle", "no rows, so nothing was triggered"
    rest = f", {left:,} not run" if left else ""
    if left is None:
        rest = ", the others were not run"
    if failed:
        return "bad", f"{failed:,} of {count(ran, 'row')} failed{rest}"
    return "bad" if batch.error else "idle" if batch.reason else "ok", (
        f"{count(ran, 'row')} succeeded{rest}"
    )


def _was_sent(item: BatchItem) -> bool:
    return not isinstance(item.error, NangoUsageError)


def _about(batch: BatchResult) -> list[str]:
    found = [key_text(batch.request, _REQUEST_CHARS)] if batch.request else []
    if not batch.ran or batch.duration <= 0:
        return found
    rate = batch.ran / batch.duration
    per_second = f"{rate:,.0f} rows/s" if rate >= 9.95 else f"{rate:.1f} rows/s"
    again = [f"{batch.ran:,} of them now"] if batch.ran < len(batch.items) else []
    return [*found, duration_text(batch.duration), *again, per_second]


def _failures(items: Iterable[BatchItem], limits: Limits) -> tuple[list[_Failure], str]:
    """Return the most frequent messages, and what is told of the others."""
    rows: dict[str, list[BatchItem]] = {}
    for item in items:
        if not item.success:
            rows.setdefault(_without_user(item), []).append(item)
    groups = sorted(rows.items(), key=lambda group: -len(group[1]))
    most = len(groups) if limits.is_all else _FAILURES
    found = [
        _Failure(len(of), _summary(message, limits), _numbers([one.index for one in of]), _hint(of))
        for message, of in groups[:most]
    ]
    others = groups[most:]
    if not others:
        return found, ""
    failed = sum(len(of) for _, of in others)
    return found, (
        f"and {count(len(others), 'other message')}, of {count(failed, 'row')}; {SHOW_ALL}"
    )


def _hint(items: Sequence[BatchItem]) -> str:
    """Return what to do about rows that failed in the same way; where it differs, of the first."""
    hints = [item.error.hint if item.error else "" for item in items]
    hint = _line(hints[0])
    return hint if not hint or len(set(hints)) == 1 else f"Row {items[0].index}: {hint}"


def _without_user(item: BatchItem) -> str:
    """Return why a row failed, without its user: or each would have a message of its own."""
    message = item.error_msg or ""
    user = "" if item.call is None else str(item.call.user_id)
    return re.sub(rf"(?<!\w){re.escape(user)}(?!\w)", "…", message) if user else message


def _summary(message: str, limits: Limits) -> str:
    found = read_error(message, limits)
    return _line(found.summary or found.text)


def _numbers(rows: Sequence[int]) -> str:
    if len(rows) == 1:
        return f"row {rows[0]}"
    first = ", ".join(str(number) for number in rows[:_NUMBERS])
    more = len(rows) - _NUMBERS
    return f"rows {first}{f' and {more:,} more' if more > 0 else ''}"


def _record(item: BatchItem, limits: Limits) -> dict[str, Any]:
    """Return what is drawn of a row; of a wide one the last columns come after the result."""
    row = list(renamed(item.row))
    half = max(limits.columns // 2, 1)
    found = dict(row[:half])
    found["duration"] = duration_text(item.duration)
    if not item.success:
        error = _summary(item.error_msg or "", limits)
        is_short = limits.is_all or len(error) <= _BRIEF_ERROR
        found["error"] = error if is_short else f"{error[: _BRIEF_ERROR - 1]}…"
    value = normal(item.value)
    if isinstance(value, Mapping) and 0 < len(value) <= limits.columns:
        found.update({f"result.{key_text(key, 40)}": part for key, part in value.items()})
    elif value is not None:
        found["result"] = value
    found.update(row[half:])
    return found


def _numbered(item: BatchItem, limits: Limits) -> dict[str, Any]:
    """Return what is drawn of a row among some: its number, and why it failed, come first."""
    found: dict[str, Any] = {"row": item.index}
    if not item.success:
        found["error"] = _summary(item.error_msg or "", limits)
    return found | {name: value for name, value in _record(item, limits).items() if name != "error"}


def _line(text: str) -> str:
    shown, was_cut = clip(text, _MESSAGE_CHARS)
    return f"{line_text(shown)}{'…' * was_cut}"
