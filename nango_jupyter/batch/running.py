"""Runs a batch: never more at once than was asked for, and each row read when it is needed."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from nango_jupyter.batch.items import BatchItem, BatchItems, Todo
from nango_jupyter.batch.outcome import Outcome
from nango_jupyter.batch.results import BatchResult, Left, Prepare
from nango_jupyter.batch.stopping import StopPressed, stoppable
from nango_jupyter.exceptions import (
    NangoClosedError,
    NangoConnectionError,
    NangoConnectionLostError,
    NangoError,
    NangoServerError,
    NangoUsageError,
)
from nango_jupyter.results import NangoResult
from nango_jupyter.rows import Row, Rows, values_of
from nango_jupyter.secrets import redact

if TYPE_CHECKING:
    from nango_jupyter.calls import TriggerCall
    from nango_jupyter.client import Nango
    from nango_jupyter.known import KnownNames

__all__ = ["DEFAULT_CONCURRENCY", "Batch", "retry"]

DEFAULT_CONCURRENCY = 10

_STOPPED = "stopped: it may have run"
# How long what was cancelled may take to end, in seconds.
_PATIENCE = 2.0
# Of more calls than that, nobody reads which of their names may be misspelt.
_MOST_GUESSES = 10


class Batch:
    """Triggers that are to be run, one for each row.

    The first row is read and prepared at once: what is wrong with it is mostly wrong with all.

    Parameters
    ----------
    client : Nango
    rows : Rows
        Read one by one, as they are needed, on the loop: a generator may use what belongs to the
        main thread.
    prepare : function from Row to TriggerCall
        If it fails for a row, that row has failed.
    request : str, optional
        What is triggered, such as ``crm.list-contacts``; that of the first row if not given.
    connection : str, optional
        The name of the client's connection: a retry goes there again.
    concurrency : int
        How many at once.
    stop_on_error : bool
        Begin no row after one has failed; those under way end.
    on_item : function from BatchItem, optional
        Called for each row when it is done.
    known : KnownNames, optional
        Learns the names that are used, and guesses what was meant by those that are misspelt.

    Raises
    ------
    NangoUsageError
        If `concurrency` can't be used, or the first row gives no call.

    Attributes
    ----------
    on_item : function from BatchItem, or None
    request, connection : str
    total : int or None
        How many rows there are; None if only the end will tell.
    """

    def __init__(
        self,
        client: Nango,
        rows: Rows,
        prepare: Prepare,
        *,
        request: str = "",
        connection: str = "",
        concurrency: int = DEFAULT_CONCURRENCY,
        stop_on_error: bool = False,
        on_item: Callable[[BatchItem], None] | None = None,
        known: KnownNames | None = None,
        todo: Iterable[Todo] | None = None,
        before: Iterable[BatchItem] = (),
    ) -> None:
        if isinstance(concurrency, bool) or not isinstance(concurrency, int) or concurrency < 1:
            raise NangoUsageError(
                "concurrency is not a whole number above 0", "Give how many rows at once, as 20."
            )
        self.on_item = on_item
        self.total = rows.total
        self.request, self.connection = request, connection
        self._client, self._rows, self._prepare = client, rows, prepare
        self._concurrency, self._stop_on_error = concurrency, stop_on_error
        self._known = known
        self._items = {item.index: item for item in before}
        # What comes before the rows, and what was taken and not begun.
        self._todo = deque(todo or ())
        self._under_way: dict[int, Todo] = {}
        self._outcome = Outcome()
        self._pulling = asyncio.Lock()
        self._workers: set[asyncio.Task[None]] = set()
        self._good_before = sum(item.success for item in self._items.values())
        if todo is None:  # of those that have failed before, the first may be the only bad one
            self._read_first()

    def _read_first(self) -> None:
        """Read and prepare the first row: an error here is raised before anything is sent."""
        if (todo := self._take()) is None:
            return
        todo.call = self._prepare(Row(todo.row))
        self._todo.append(todo)
        self.request = self.request or todo.call.request

    @property
    def done(self) -> int:
        """How many rows are done; in a retry, those that had succeeded are."""
        return self._good_before + self._outcome.ran

    async def run(self) -> BatchResult:
        """Run all rows; return what came of them.

        A row that fails is a failed item, and no error. The result tells in `reason` and `error`
        why it ended early. When this is cancelled, `result` has what came back until then. What
        the user's own code raises to leave Python is in `interrupt`: it would take an event loop
        with it.
        """
        if self._outcome.begun is not None:
            raise NangoUsageError("This batch was run already", "Make another one, or retry it.")
        self._outcome.begun = time.perf_counter()
        try:
            await self._run()
        finally:
            self._settle()
        await self._guess()
        return self.result()

    async def _guess(self) -> None:
        """Add to errors of the server which name may be misspelt."""
        if self._known is None:
            return
        guesses: dict[tuple[str, type, object], str] = {}
        for item in self._items.values():
            call, error = item.call, item.error
            if call is None or not isinstance(error, NangoServerError):
                continue
            key = (call.request, type(call.user_id), call.user_id)
            if key not in guesses and len(guesses) < _MOST_GUESSES:
                guesses[key] = await self._known.hint(call, error)
            guess = guesses.get(key, "")
            if guess not in error.hint:
                error.hint = f"{guess} {error.hint}".strip()

    @property
    def interrupt(self) -> BaseException | None:
        """What the rows raised to leave Python, or as Stop does; to be raised outside of tasks."""
        return self._outcome.interrupt

    async def _run(self) -> None:
        workers = self._workers
        try:
            while len(workers) < self._concurrency and (todo := await self._next()) is not None:
                workers.add(asyncio.create_task(self._work(todo)))
                await asyncio.sleep(0)  # the first one is sent before the next is read
            if workers:
                await asyncio.wait(workers)
        except BaseException:
            self._outcome.stop("stopped")
            self._cancel()
            if workers:
                await asyncio.wait(workers, timeout=_PATIENCE)
            raise

    def _cancel(self) -> None:
        for worker in self._workers:
            worker.cancel()

    async def _work(self, first: Todo) -> None:
        todo: Todo | None = first
        while todo is not None:
            item = await self._trigger(todo)
            if item is not None:
                self._note(item)
                if item.error is not None:
                    # A row that was not sent may not have waited for anything: let others run.
                    await asyncio.sleep(0)
            todo = await self._next()

    async def _next(self) -> Todo | None:
        """Take the next row, if there is one and it is to be begun."""
        # A generator may run the loop while it makes a row, as one that uses magics does.
        async with self._pulling:
            todo = None
            if not self._outcome.is_over:
                if self._todo:
                    todo = self._todo.popleft()
                else:
                    todo = self._by_user("the rows failed", self._take)
            if todo is not None:
                self._under_way[todo.index] = todo
            return todo

    def _take(self) -> Todo | None:
        index = self._rows.position
        try:
            row = next(self._rows)
        except StopIteration:
            self._outcome.is_complete = True
            return None
        return Todo(index, values_of(row))

    def _by_user(self, problem: str, function: Callable[[], Any]) -> Any:
        """Call what runs the user's own code; None if it ended the batch."""
        try:
            with stoppable():
                return function()
        except Exception as error:
            self._outcome.stop(f"{problem}: {_text(error)}", error)
        except BaseException as error:
            self._end_at_once(error)
        return None

    def _end_at_once(self, error: BaseException) -> None:
        """End because Stop was pressed, or because the user's own code wants to exit."""
        self._outcome.stop("stopped")
        if not isinstance(error, StopPressed):
            self._outcome.interrupt = error
        self._cancel()

    async def _trigger(self, todo: Todo) -> BatchItem | None:
        """Run one row; None if it is not to be run any more."""
        try:
            call = todo.call or self._call_of(todo)
            if call is None:
                return None
            todo.call, todo.is_sent = call, True
            result = await self._client.trigger_action(
                call.integration, call.action, call.user_id, call.input, timeout=call.timeout
            )
        except NangoError as error:
            return self._failed(todo, error)
        except Exception as error:  # of the user's own code, or of ours
            return self._failed(todo, NangoError(_text(error)))
        if self._known is not None:
            self._known.note_call(call)
        return BatchItem(todo.index, todo.row, None, result)

    def _call_of(self, todo: Todo) -> TriggerCall | None:
        try:
            with stoppable():
                return self._prepare(Row(todo.row))
        except Exception:  # that row's own
            raise
        except BaseException as error:
            self._end_at_once(error)
            return None

    def _failed(self, todo: Todo, error: NangoError) -> BatchItem:
        _bare(error)
        result = error.result if isinstance(error.result, NangoResult) else None
        is_gone = isinstance(error, NangoClosedError | NangoConnectionError)
        if is_gone and not isinstance(error, NangoConnectionLostError):
            self._outcome.stop(error.message, error)
        elif self._stop_on_error:
            self._outcome.stop("stopped at the first row that failed")
        return BatchItem(todo.index, todo.row, todo.call, result, error)

    def _note(self, item: BatchItem) -> None:
        if self._outcome.is_settled:
            return
        del self._under_way[item.index]
        self._items[item.index] = item
        self._outcome.ran += 1
        on_item = self.on_item
        if on_item is not None:
            self._by_user("on_item failed", lambda: on_item(item))

    def _settle(self) -> None:
        """Note what is known of the rows that were under way when it ended."""
        self._outcome.end()
        for todo in self._under_way.values():
            call = todo.call
            if not todo.is_sent or call is None:
                self._todo.append(todo)
                continue
            error = NangoError(_STOPPED)
            result = NangoResult(
                False, _STOPPED, request=call.request, user_id=call.user_id, is_action=True
            )
            self._items[todo.index] = BatchItem(todo.index, todo.row, call, result, error)
            self._outcome.ran += 1
        self._under_way.clear()

    def result(self) -> BatchResult:
        """Return what has come back so far; rows that are under way are not in it."""
        outcome, items = self._outcome, self._items
        items_in_order = BatchItems(items[index] for index in sorted(items))
        new = tuple(todo for todo in self._todo if todo.index not in items)
        total = self.total
        if outcome.is_complete:
            total = len(items) + len(new) + len(self._under_way.keys() - items.keys())
        # All that there was has been read: whatever it was, it needn't be kept.
        rest = Rows(_nothing, len(items)) if outcome.is_complete else self._rows.rest()
        return BatchResult(
            items_in_order,
            request=self.request,
            connection=self.connection,
            total=total,
            ran=outcome.ran,
            reason=outcome.reason if outcome.is_settled else "it is not done yet",
            error=outcome.error,
            duration=outcome.duration,
            concurrency=self._concurrency,
            left=Left(self._prepare, new, rest, rest.position),
        )


def retry(
    before: BatchResult,
    client: Nango,
    *,
    concurrency: int = DEFAULT_CONCURRENCY,
    stop_on_error: bool = False,
    on_item: Callable[[BatchItem], None] | None = None,
    known: KnownNames | None = None,
) -> Batch:
    """Prepare to run again what failed in a batch, as it was, and what was not begun in it.

    Its result has all rows, those that had succeeded as they were. A row that may have run, as one
    that was stopped, is run again as well.

    Parameters
    ----------
    before : BatchResult
    client : Nango
    concurrency, stop_on_error, on_item, known
        As of `Batch`.

    Raises
    ------
    NangoUsageError
        If what is left can't be run: another retry of the same result has read its rows.
    """
    left = before.left
    if left is None:
        raise NangoUsageError(
            "This result was loaded from a file, and what is left to do is not in it",
            "Trigger the rows of batch.failed.to_pandas() anew with --each.",
        )
    if left.rows.is_once and left.rows.position != left.position:
        raise NangoUsageError(
            "The rows that were left were read already", "Retry the result of that run instead."
        )
    todo = [Todo(item.index, item.row, item.call) for item in before.failed]
    batch = Batch(
        client,
        left.rows.rest(),
        left.prepare,
        request=before.request,
        connection=before.connection,
        concurrency=concurrency,
        stop_on_error=stop_on_error,
        on_item=on_item,
        known=known,
        todo=[*todo, *(Todo(one.index, one.row, one.call) for one in left.todo)],
        before=before.items,
    )
    if batch.total is None:
        batch.total = before.total
    return batch


def _nothing(_: int) -> Iterator[Any]:
    return iter(())


def _bare(error: Exception) -> Exception:
    """Let go of the frames that an error holds: those of thousands are much memory."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _text(error: Exception) -> str:
    if isinstance(error, NangoError):
        return error.message
    return redact(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
