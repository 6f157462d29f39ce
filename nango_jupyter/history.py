"""What was triggered in this session: when, what, for whom, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from time import perf_counter
from typing import TYPE_CHECKING, Literal, overload

from nango_jupyter.exceptions import NangoError, NangoUsageError
from nango_jupyter.secrets import redact

if TYPE_CHECKING:
    from nango_jupyter.batch import BatchResult
    from nango_jupyter.calls import TriggerCall
    from nango_jupyter.messages import UserId
    from nango_jupyter.results import NangoResult

__all__ = ["History", "HistoryEntry"]

# How much of the past stays: a line of each, and what came back, which may be large.
_ENTRIES = 1_000
_RESULTS = 100
_BATCHES = 10
# Characters of an error that its line keeps.
_MESSAGE = 300
# What servers say before an action's own error: the line has said so.
_FAILED = "There was an error during the action execution: "

State = Literal["running", "success", "failed", "stopped"]


class HistoryEntry:
    """One thing that was triggered.

    Attributes
    ----------
    number : int
        From 1.
    request : str
        Such as ``crm.list-contacts``.
    user_id : str, int or None
        None for a batch.
    connection : str
        The name of the connection that it went through.
    time : datetime
        When it was sent, with the local time zone.
    state : {"running", "success", "failed", "stopped"}
    outcome : str
        In words, such as "failed: no such channel" or "3 of 1,000 failed".
    is_batch : bool
    call : TriggerCall or None
        What to send to run it again; None for a batch, and once it is too old to be kept.
    result : NangoResult, BatchResult or None
        What came back, or what is known of a failure; None while it runs, and once it is too old.
    """

    def __init__(
        self,
        number: int,
        request: str,
        connection: str,
        *,
        call: TriggerCall | None = None,
        on_end: Callable[[], object] = lambda: None,
    ) -> None:
        self.number = number
        self.request = request
        self.user_id: UserId | None = None if call is None else call.user_id
        self.connection = connection
        self.call = call
        self.is_batch = call is None
        self.time = datetime.now().astimezone()
        self.state: State = "running"
        self.outcome = "running"
        self.result: NangoResult | BatchResult | None = None
        self._begun = perf_counter()
        self._duration: float | None = None
        self._on_end = on_end

    @property
    def duration(self) -> float:
        """How long it took, or has taken so far, in seconds."""
        return perf_counter() - self._begun if self._duration is None else self._duration

    def end(
        self, state: State, outcome: str, result: NangoResult | BatchResult | None = None
    ) -> None:
        """Note what came of it."""
        self._duration = self.duration
        self.state, self.outcome, self.result = state, outcome, result
        self._on_end()

    def end_batch(self, result: BatchResult) -> None:
        """Note what came of a batch, also of one that ended early."""
        failed, ran = len(result.failed), len(result)
        if result.reason:
            self.end("stopped", f"{failed:,} of {ran:,} failed; {result.reason}", result)
        elif failed:
            self.end("failed", f"{failed:,} of {ran:,} failed", result)
        else:
            self.end("success", f"success: {ran:,} row{'s' * (ran != 1)}", result)

    def fail(self, error: Exception, result: BatchResult | None = None) -> None:
        """Note an error; one of `Nango`'s calls carries a result."""
        message = error.message if isinstance(error, NangoError) else f"{type(error).__name__}"
        message = redact(message)  # first, or the cut leaves half a secret
        line = next(iter(message[:_MESSAGE].removeprefix(_FAILED).splitlines()), "")
        found = getattr(error, "result", None) if result is None else result
        self.end("failed", f"failed: {line}", self._failed(message) if found is None else found)

    def stop(self) -> None:
        """Note that it was stopped: by the user, or with the kernel's loop."""
        outcome = "stopped: it may have run"
        self.end("stopped", outcome, self._failed(outcome))

    def _failed(self, message: str) -> NangoResult:
        from nango_jupyter.results import NangoResult

        return NangoResult(
            False,
            message,
            request=self.request,
            user_id=self.user_id,
            duration=self.duration,
            is_action=True,
        )

    def forget(self) -> None:
        """Let go of what may be large."""
        self.call = self.result = None

    def __repr__(self) -> str:
        from nango_jupyter.display.values import key_text

        about = key_text(f"{self.request}: {self.outcome}", 160)
        return f"<HistoryEntry {self.number} {about}>"


class History(Sequence[HistoryEntry]):
    """What was triggered in this session, drawn as a table, the newest last.

    Parameters
    ----------
    on_change : function, optional
        Called when something begins, and when it has ended.
    """

    def __init__(self, on_change: Callable[[], object] = lambda: None) -> None:
        self._on_change = on_change
        self._entries: list[HistoryEntry] = []
        # Those whose call and result are kept.
        self._whole: list[HistoryEntry] = []
        self._last = 0

    def begin(self, connection: str, call: TriggerCall) -> HistoryEntry:
        """Note a call that is sent now."""
        return self._add(call.request, connection, call)

    def begin_batch(self, connection: str, request: str) -> HistoryEntry:
        """Note a batch that begins now."""
        return self._add(request, connection)

    def _add(self, request: str, connection: str, call: TriggerCall | None = None) -> HistoryEntry:
        self._last += 1
        entry = HistoryEntry(self._last, request, connection, call=call, on_end=self._on_change)
        self._entries.append(entry)
        del self._entries[:-_ENTRIES]
        self._whole.append(entry)
        most = _BATCHES if entry.is_batch else _RESULTS
        # What runs is not over yet, however long ago it began.
        ended = [
            one
            for one in self._whole
            if one.is_batch is entry.is_batch and (one is entry or one.state != "running")
        ]
        for old in ended[:-most]:
            old.forget()
            self._whole.remove(old)
        self._on_change()
        return entry

    def keeps(self, number: int) -> bool:
        """Tell whether what came back is still kept."""
        return any(one.number == number for one in self._whole)

    def entry(self, number: int | None = None) -> HistoryEntry:
        """Return the entry of a number, or the last one.

        Raises
        ------
        NangoUsageError
            If there is none.
        """
        if not self._entries:
            raise NangoUsageError(
                "Nothing was triggered yet in this session", "Trigger something: %nango_trigger?"
            )
        first = self._entries[0].number
        if number is None:
            return self._entries[-1]
        if isinstance(number, bool) or not isinstance(number, int):
            raise NangoUsageError("That is not the number of an entry", _LIST)
        if not first <= number <= self._last:
            there = f"{first}" if first == self._last else f"{first} to {self._last}"
            raise NangoUsageError(
                f"There is no entry {number} in the history", f"It has {there}. {_LIST}"
            )
        return self._entries[number - first]

    def result(self, number: int | None = None) -> NangoResult | BatchResult:
        """Return what came back, with ``success`` False for what failed.

        Raises
        ------
        NangoUsageError
            If there is no such entry, it runs still, or it is too old to be kept.
        """
        entry = self.entry(number)
        if entry.state == "running":
            raise NangoUsageError(
                f"Entry {entry.number} is still running", "%nango_jobs shows what runs."
            )
        if entry.result is None:
            raise NangoUsageError(f"The result of entry {entry.number} is not kept any more", _KEPT)
        return entry.result

    def call(self, number: int | None = None) -> TriggerCall:
        """Return what to send to run an entry again.

        Raises
        ------
        NangoUsageError
            If there is no such entry, it was a batch, or it is too old to be kept.
        """
        entry = self.entry(number)
        if entry.is_batch:
            raise NangoUsageError(
                f"Entry {entry.number} triggered many rows, which are not kept",
                "Run its cell again; --retry-failed runs the rows that failed.",
            )
        if entry.call is None:
            raise NangoUsageError(f"The input of entry {entry.number} is not kept any more", _KEPT)
        return entry.call

    @overload
    def __getitem__(self, index: int) -> HistoryEntry: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[HistoryEntry]: ...
    def __getitem__(self, index: int | slice) -> HistoryEntry | Sequence[HistoryEntry]:
        return self._entries[index]

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"<History of {len(self)} entries>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from nango_jupyter.display import LIMITS, render_card
        from nango_jupyter.display.tables import render_table
        from nango_jupyter.display.values import count

        if not self._entries:
            return render_card("Nothing triggered yet", "idle", [("Next", "%nango_trigger?")])
        last = self._entries[-LIMITS.rows :]
        notes = [f"showing the last {len(last):,} of {len(self):,}"] * (len(last) < len(self))
        names = ["Connection"] if len({entry.connection for entry in last}) > 1 else []
        notes.append("%nango_history NUMBER shows a result again; --rerun NUMBER runs it again")
        return render_table(
            f"{count(self._last, 'request')} in this session",
            "ok",
            ("", "Time", "Request", "User", *names, "Duration", "Outcome"),
            [_row(entry, with_connection=bool(names)) for entry in last],
            notes=notes,
        )


_LIST = "%nango_history lists them."
_KEPT = f"Those of the last {_RESULTS} requests are, and of the last {_BATCHES} with --each."


def _row(entry: HistoryEntry, *, with_connection: bool) -> tuple[object, ...]:
    from nango_jupyter.display.values import duration_text, user_text

    is_today = entry.time.date() == datetime.now().astimezone().date()
    return (
        entry.number,
        f"{entry.time:%H:%M:%S}" if is_today else f"{entry.time:%Y-%m-%d %H:%M}",
        entry.request,
        "" if entry.user_id is None else user_text(entry.user_id),
        *([entry.connection] if with_connection else []),
        "" if entry.state == "running" else duration_text(entry.duration),
        entry.outcome,
    )
