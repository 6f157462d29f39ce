"""``%%nango_trigger``, for one user or for each row, and what was triggered before."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from IPython.core.magic import (
    Magics,
    line_cell_magic,
    line_magic,
    magics_class,
    needs_local_scope,
    no_var_expand,
)
from IPython.core.magic_arguments import argument

from nango_jupyter.exceptions import NangoClosedError, NangoUsageError
from nango_jupyter.magics.notebook import Notebook
from nango_jupyter.magics.options import (
    connection_argument,
    output_arguments,
    takes_arguments,
    whole_number,
)

if TYPE_CHECKING:
    from nango_jupyter.calls import TriggerCall
    from nango_jupyter.magics.output import Output
    from nango_jupyter.magics.template import InputTemplate

__all__ = ["TriggerMagics"]


@magics_class
class TriggerMagics(Magics):
    """Run actions, and look back at what was run."""

    def __init__(self, notebook: Notebook) -> None:
        super().__init__(notebook.shell)
        self.notebook = notebook

    @takes_arguments
    @argument("integration", nargs="?", metavar="INTEGRATION", help="Its name.")
    @argument("action", nargs="?", metavar="ACTION", help="The action's name.")
    @argument("user", nargs="?", metavar="USER", help="The user's id; $name keeps a number one.")
    @argument("input", nargs="?", metavar="JSON", help="The input; in a cell magic, the cell.")
    @argument("--input", dest="input_file", metavar="FILE", help="Take the input from a file.")
    @argument("--timeout", metavar="SECONDS", help="Time limit (30).")
    @connection_argument
    @output_arguments
    @argument("--each", metavar="ROWS", help="Once for each row: {{ row.name }} is a column.")
    @argument("--concurrency", metavar="NUMBER", help="How many rows at once (10).")
    @argument("--stop-on-error", action="store_true", help="Begin no more rows after a failure.")
    @argument("--retry-failed", metavar="BATCH", help="Run what failed, or was not begun, again.")
    @argument("--no-wait", action="store_true", help="Return a handle at once.")
    @no_var_expand
    @needs_local_scope
    @line_cell_magic
    def nango_trigger(
        self, line: str, cell: str | None = None, local_ns: Mapping[str, Any] | None = None
    ) -> Any:
        """Run an action in the name of a user, and return its result.

        The input is JSON or YAML: the cell for %%nango_trigger, on the line for %nango_trigger.
        {{ expression }} puts a value into it; on the line, $name does so too.

        Examples::

            result = %nango_trigger crm list-contacts ada {"city": "Berlin"}

            %%nango_trigger slack notify {{ row.user }} --each df --concurrency 20 --out batch
            {"msg": "hello {{ row.name }}"}
        """
        from nango_jupyter.magics.trigger_request import read_request

        notebook = self.notebook
        names = notebook.names(local_ns)
        args = notebook.parse(self.nango_trigger, line, names, json="input", templates=("user",))
        if args.each is not None or args.retry_failed is not None:
            return self._trigger_rows(args, line, cell, names)
        _check_rows(args)
        request = read_request(args, cell, names)
        output = self._output(args, line, None if cell is None else request.input)
        call = request.call(names)
        if args.no_wait:
            job = notebook.session.start(call, args.connection, run=notebook.loop.run)
            return output.deliver(self.notebook.shell, notebook.live(job))
        return self._trigger(call, args.connection, output)

    def _trigger(self, call: TriggerCall, connection: str | None, output: Output) -> Any:
        notebook = self.notebook
        result = notebook.run(notebook.session.trigger(call, connection))
        kept = notebook.kept(lambda entry: entry.call is call)
        return output.deliver(notebook.shell, output.within_limits(result), kept)

    def _trigger_rows(
        self, args: Namespace, line: str, cell: str | None, names: Mapping[str, Any]
    ) -> Any:
        # Imported for those who use it.
        from nango_jupyter.magics.batches import prepare_batch, run_batch

        batch, read = prepare_batch(self.notebook, args, cell, names)
        return run_batch(self.notebook, batch, self._output(args, line, read), args)

    def _output(self, args: Namespace, line: str, cell: InputTemplate | None) -> Output:
        return self.notebook.output(args, "nango_trigger", line, cell)

    @takes_arguments
    @argument("number", nargs="?", metavar="NUMBER", help="The handle of this one.")
    @argument("--cancel", metavar="NUMBER", help="Stop this one; a server may go on with it.")
    @no_var_expand
    @line_magic
    def nango_jobs(self, line: str) -> Any:
        """List what was triggered with --no-wait, and what has come of it.

        Examples::

            %nango_jobs
            job = %nango_jobs 3
        """
        notebook = self.notebook
        args = notebook.parse(self.nango_jobs, line, notebook.shell.user_ns)
        session = notebook.session
        found: Any = session.jobs()
        if args.cancel is not None:
            session.job(whole_number(args.cancel, "--cancel")).cancel()
            found = session.jobs()
        elif args.number is not None:
            found = notebook.live(session.job(whole_number(args.number, "The number of a job")))
        return notebook.shown(found, args, "nango_jobs", line)

    @takes_arguments
    @argument("number", nargs="?", metavar="NUMBER", help="The result of this one, again.")
    @argument("--rerun", metavar="NUMBER", help="Trigger this one again, with the same input.")
    @connection_argument
    @output_arguments
    @no_var_expand
    @line_magic
    def nango_history(self, line: str) -> Any:
        """Show what was triggered in this session: time, action, user, duration, outcome.

        Examples::

            result = %nango_history 3
            %nango_history --rerun 3
        """
        from nango_jupyter.magics.output import read_output

        notebook = self.notebook
        args = notebook.parse(self.nango_history, line, self.notebook.shell.user_ns)
        history = notebook.session.history
        if args.number is None and args.rerun is None:
            if args.frame or args.polars:
                raise NangoUsageError("A frame of which entry?", "Write: %nango_history 3 --frame")
            return read_output(args, notebook.shell, "nango_history", line, None).deliver(
                notebook.shell, history
            )
        output = notebook.output(args, "nango_history", line)
        if args.rerun is not None:
            if args.number is not None:
                raise NangoUsageError("There are two numbers", "Write: %nango_history --rerun 3")
            number = whole_number(args.rerun, "--rerun")
            # Where it went before: the current connection may be another server by now.
            name = args.connection or history.entry(number).connection
            return self._trigger(history.call(number), _still_open(notebook, name), output)
        number = whole_number(args.number, "The number of an entry")
        if history.entry(number).state == "running":
            return notebook.live(notebook.session.job(number))
        return output.deliver(self.notebook.shell, output.within_limits(history.result(number)))


def _still_open(notebook: Notebook, name: str) -> str:
    """Return the name of the connection that something runs on again, if it is open."""
    try:
        return notebook.session.connection(name).name
    except NangoClosedError as error:
        error.hint = f"{error.hint} It runs on another one with --connection NAME.".strip()
        raise


def _check_rows(args: Namespace) -> None:
    """Refuse what only rows have: without --each it would mean nothing."""
    for option, given in (
        ("--concurrency", args.concurrency is not None),
        ("--stop-on-error", args.stop_on_error),
    ):
        if given:
            raise NangoUsageError(f"There is {option}, but no --each", "Name the rows: --each df.")
