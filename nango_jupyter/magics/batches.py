"""Triggers for each row: ``--each`` and ``--retry-failed``."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections import ChainMap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from copy import copy
from dataclasses import replace
from typing import Any

from nango_jupyter.batch import DEFAULT_CONCURRENCY, Batch, BatchResult, retry
from nango_jupyter.calls import TriggerCall
from nango_jupyter.conversion import to_json_value
from nango_jupyter.exceptions import NangoError, NangoUsageError
from nango_jupyter.magics.expressions import compile_alone
from nango_jupyter.magics.notebook import Notebook
from nango_jupyter.magics.options import whole_number
from nango_jupyter.magics.output import Output
from nango_jupyter.magics.progress import Progress
from nango_jupyter.magics.template import InputTemplate
from nango_jupyter.magics.trigger_request import TriggerRequest, read_request
from nango_jupyter.messages import UserId
from nango_jupyter.rows import Row, iterate
from nango_jupyter.suggestions import did_you_mean

__all__ = ["prepare_batch", "run_batch"]

_TURN_SECONDS = 0.0005
# Columns that say for whom a row is, where the line doesn't.
_USER_COLUMNS = ("user_id", "userId", "user")


def prepare_batch(
    notebook: Notebook, args: Namespace, cell: str | None, names: Mapping[str, Any]
) -> tuple[Batch, InputTemplate | None]:
    """Return what is to be run, and what was read in the cell; nothing is sent yet."""
    if args.retry_failed is not None:
        return _retry(notebook, args, cell, names), None
    request = read_request(args, cell, names)
    return _each(notebook, args, request, names), None if cell is None else request.input


def _each(
    notebook: Notebook, args: Namespace, request: TriggerRequest, names: Mapping[str, Any]
) -> Batch:
    connection = notebook.session.connection(args.connection)
    rows = iterate(_named(args.each, names, "a DataFrame, or a list of dicts"))
    somebody = _only_user(notebook, request, args.connection) if request.user is None else None
    calls = _Calls(request, names, somebody)
    batch = Batch(
        connection.client,
        rows,
        calls,
        request=request.request,
        connection=connection.name,
        known=connection.known,
        **_how(notebook, args),
    )
    calls.settle()
    return batch


class _Calls:
    """Makes a call of each row."""

    def __init__(
        self, request: TriggerRequest, names: Mapping[str, Any], somebody: UserId | None
    ) -> None:
        self._request, self._names, self._somebody = request, dict(names), somebody

    def __call__(self, row: Row) -> TriggerCall:
        names = ChainMap({"row": row}, self._names)
        call = self._request.call(names, _user_of(row, self._somebody))
        user: object = call.user_id
        # In a column with a gap pandas makes 1.0 of 1, which is nobody's id.
        if isinstance(user, float) and user.is_integer():
            return replace(call, user_id=int(user))
        return call

    def settle(self) -> None:
        """Keep the variables that are used, as they are now, and let go of all others.

        The first row has been read: a name that isn't there has been told, with a guess.
        """
        used = self._request.names & self._names.keys()
        self._names = {name: self._names[name] for name in used}


def _retry(
    notebook: Notebook, args: Namespace, cell: str | None, names: Mapping[str, Any]
) -> Batch:
    names_of = ("integration", "action", "user", "input", "each", "input_file", "timeout")
    given = [name for name in names_of if getattr(args, name) is not None]
    if given or (cell or "").strip():
        raise NangoUsageError(
            "--retry-failed runs what failed again as it was, so nothing else goes with it",
            "Write: %nango_trigger --retry-failed $batch",
        )
    before = _named(args.retry_failed, names, "the result of --each")
    if not isinstance(before, BatchResult):
        raise NangoUsageError(
            f"--retry-failed was given a {type(before).__name__}", "Give the result of --each."
        )
    # Where it went before: the current connection may be another server by now.
    name = args.connection or before.connection
    connection = notebook.session.connection(name)
    batch = retry(before, connection.client, known=connection.known, **_how(notebook, args))
    batch.connection = connection.name
    return batch


def _how(notebook: Notebook, args: Namespace) -> dict[str, Any]:
    return {
        "concurrency": _concurrency(notebook, args.concurrency),
        "stop_on_error": args.stop_on_error,
    }


def _concurrency(notebook: Notebook, given: Any) -> int:
    if given is None:
        return notebook.preferences.concurrency() or DEFAULT_CONCURRENCY
    return whole_number(given, "--concurrency")


def _named(given: Any, names: Mapping[str, Any], what: str) -> Any:
    """Return what an option was given: an object, or the text of an expression such as ``df``."""
    if not isinstance(given, str):
        return given
    if given.isidentifier() and given not in names:
        guess = did_you_mean(given, [name for name in names if not name.startswith("_")])
        raise NangoUsageError(f"There is no variable {given}", guess or f"Define it first: {what}.")
    return compile_alone(given, given).evaluate(names)


def _user_of(row: Row, somebody: UserId | None) -> UserId | None:
    found = next((row[name] for name in _USER_COLUMNS if name in row), somebody)
    # A numpy integer is no int to the protocol.
    return None if found is None else to_json_value(found, "row.user_id")


def _only_user(
    notebook: Notebook, request: TriggerRequest, connection: str | None
) -> UserId | None:
    """Return the user whom nobody needs to name: the only one that is known."""
    known = notebook.session.connection(connection).known
    users = notebook.loop.run(known.users(request.integration))
    return users[0] if len(users) == 1 else None


def run_batch(notebook: Notebook, batch: Batch, output: Output, args: Namespace) -> Any:
    """Run a batch with a progress bar; return what the magic returns.

    What came back is delivered even where this ends with an error or with Stop.
    """
    session = notebook.session
    if args.no_wait:
        job = session.start_each(batch, batch.request, batch.connection, run=notebook.loop.run)
        return output.deliver(notebook.shell, notebook.live(job))
    is_embedded = session.connection(batch.connection).local is not None
    try:
        with Progress(batch), _quick_turns() if is_embedded else nullcontext():
            result = notebook.loop.run(session.trigger_each(batch, batch.request, batch.connection))
        _check(batch, result)
    except NangoError as error:
        error.hint = f"{_keep(notebook, batch.result(), output)} {error.hint}".strip()
        raise
    except (Exception, KeyboardInterrupt, SystemExit) as error:
        error.add_note(_keep(notebook, batch.result(), output))
        raise
    return output.deliver(notebook.shell, output.within_limits(result), _kept(notebook))


@contextmanager
def _quick_turns() -> Iterator[None]:
    """Let threads take turns more often than each 5 ms.

    An embedded server's actions have a thread of their own, whose answers wait for their turn.
    """
    usual = sys.getswitchinterval()
    sys.setswitchinterval(min(usual, _TURN_SECONDS))
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def _check(batch: Batch, result: BatchResult) -> None:
    """Raise what ended a batch early, so that Run All stops."""
    if batch.interrupt is not None:
        raise batch.interrupt
    error = result.error
    if error is None and result.reason:  # --stop-on-error
        error = next((item.error for item in result.items if item.error), None)
    if isinstance(error, NangoError):
        raise copy(error)  # that of a row stays as it is
    if error is not None:
        raise error


def _kept(notebook: Notebook) -> str:
    return notebook.kept(lambda entry: entry.is_batch)


def _keep(notebook: Notebook, result: BatchResult, output: Output) -> str:
    """Show what came back and put it where it goes, before an error stops the notebook.

    Returns
    -------
    str
        Where it is.
    """
    from IPython.display import display

    display(output.within_limits(result))
    if not output.name:
        return _kept(notebook)
    output.deliver(notebook.shell, result)
    return f"What came back is in {output.name}."
