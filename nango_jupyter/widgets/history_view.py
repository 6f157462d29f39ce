"""What was triggered in this session, to look at again, run again, or change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from ipywidgets import Select

from nango_jupyter.calls import TriggerCall
from nango_jupyter.exceptions import NangoClosedError, NangoUsageError
from nango_jupyter.history import HistoryEntry
from nango_jupyter.results import NangoResult
from nango_jupyter.widgets import look
from nango_jupyter.widgets.choices import choose
from nango_jupyter.widgets.result_form import ResultForm
from nango_jupyter.widgets.shared import Shared

__all__ = ["HistoryView"]

_LABEL = "History, the newest first"
_ROWS = 10
_MOST = 200
_MARKS = {"running": "…", "success": "✓", "failed": "✗", "stopped": "■"}
_EMPTY = "Nothing was triggered yet in this session: what is will be listed here."
_CHOOSE = "Choose an entry to see its result again."

OnEdit = Callable[[TriggerCall, str], object]


class HistoryView(ResultForm):
    """A list of what was triggered, by magics and forms alike; it follows at once.

    Parameters
    ----------
    on_edit : function, optional
        Called with a `TriggerCall` and the name of its connection, to change it before it is run
        again. Without it there is no such button.
    shared : Shared, optional
        As in `Form`.
    """

    def __init__(self, on_edit: OnEdit | None = None, *, shared: Shared | None = None) -> None:
        super().__init__(shared=shared)
        self._on_edit = on_edit
        self._is_listing = False
        self._shown: tuple[int, str] | None = None
        self._rerun_call: TriggerCall | None = None
        self._list = look.field(
            Select,
            _LABEL,
            rows=_ROWS,
            options=[],
            layout={"width": "calc(100% - 4px)", "height": "auto"},
        )
        self._list.add_class("nango-list")
        self._list.observe(self.guarded(self._on_choose), "value")
        rerun = look.button("Run again", tooltip="Trigger it again, with the same input")
        rerun.on_click(self.guarded(self._on_rerun))
        edit = look.button("Edit", tooltip="Put it into the trigger form, to change it first")
        edit.on_click(self.guarded(self._on_edit_click))
        self.buttons = (rerun, *([edit] if on_edit else []))
        if on_edit is None:
            edit.close()
        for button in (*self.buttons, self.cancel_button):
            button.layout.width = "auto"
        row = look.row(*self.buttons, self.cancel_button, indent=False)
        self.lay_out(self._list, row, self.status, self.result)

    def refresh(self) -> None:
        """List what there is now, and show what has come of the chosen entry."""
        entries = list(self.session.history)[-_MOST:]
        is_dated = any(entry.time.date() != datetime.now().date() for entry in entries)
        options = [(_line(entry, is_dated=is_dated), entry.number) for entry in reversed(entries)]
        chosen = self._list.value
        self._choose(chosen if any(n == chosen for _, n in options) else None, options)
        if not entries:
            self.say(_EMPTY)
        elif chosen is None:
            self._show_hint()
        elif not self._worker.is_busy:
            self._show_chosen()

    def _show_hint(self) -> None:
        if not self._worker.is_busy and not self.result.value:
            self.say(_CHOOSE)

    def _choose(self, number: int | None, options: list[tuple[str, int]] | None = None) -> None:
        """Select an entry, and show nothing yet."""
        self._is_listing = True
        try:
            choose(self._list, self._list.options if options is None else options, number)
        finally:
            self._is_listing = False

    def _on_choose(self, _: object) -> None:
        if not self._is_listing and not self._worker.is_busy:
            self._show_chosen()

    def _chosen(self) -> HistoryEntry:
        if self._list.value is None:
            raise NangoUsageError("No entry is chosen", "Choose one in the list.")
        return self.session.history.entry(self._list.value)

    def _show_chosen(self) -> None:
        if self._list.value is None:
            return
        entry = self._chosen()
        if self._shown == (entry.number, entry.state):
            return
        self._shown = (entry.number, entry.state)
        self.result.value = ""
        if entry.state == "running":
            self.say(f"Entry {entry.number} is still running: its result will be here.", "busy")
            return
        self.show(self.session.history.result(entry.number))
        self.say(f"Entry {entry.number}: what came back at the time.")

    def _on_rerun(self, _: object) -> None:
        entry = self._chosen()
        # A call of its own, by which its entry is found.
        call = replace(self.session.history.call(entry.number))
        self.begin(
            lambda: self._rerun(call, entry.connection),
            f"Running {call.request} again",
            self._ran,
            cancelled="Cancelled: the server may go on with it.",
        )

    async def _rerun(self, call: TriggerCall, connection: str) -> NangoResult:
        self._rerun_call = call
        # Where it went before: the current connection may be another server by now.
        try:
            self.session.connection(connection)
        except NangoClosedError as error:
            error.hint = f"{error.hint} Edit puts it into a form for another one.".strip()
            raise
        return await self.session.trigger(call, connection)

    def _ran(self, result: NangoResult) -> None:
        self.show(result)
        self.say("It ran again: this is the result of the new entry.", "ok")

    def on_begin(self) -> None:
        """Forget which entry the last run made."""
        self._rerun_call = None
        super().on_begin()

    def on_end(self, error: BaseException | None) -> None:
        """Choose the new entry, and show the error if there is one."""
        super().on_end(error)
        self.guarded(self._choose_new)()

    def _choose_new(self) -> None:
        found = [entry for entry in self.session.history if entry.call is self._rerun_call]
        if self._rerun_call is not None and found:
            self._shown = (found[-1].number, found[-1].state)
            self.refresh()
            self._choose(found[-1].number)

    def _on_edit_click(self, _: object) -> None:
        entry = self._chosen()
        call = self.session.history.call(entry.number)
        if self._on_edit:
            self._on_edit(call, entry.connection)


def _line(entry: HistoryEntry, *, is_dated: bool) -> str:
    """Return an entry as one line: what is secret masked, and short enough to be read."""
    from nango_jupyter.display.values import duration_text, key_text, user_text

    parts: list[Any] = [
        f"{_MARKS[entry.state]} {entry.number}",
        f"{entry.time:%Y-%m-%d %H:%M:%S}" if is_dated else f"{entry.time:%H:%M:%S}",
        key_text(entry.request, 60),
        *([] if entry.user_id is None else [user_text(entry.user_id)]),
        *([] if entry.state == "running" else [duration_text(entry.duration)]),
        key_text(entry.outcome, 80),
    ]
    return " · ".join(part for part in parts if part)
