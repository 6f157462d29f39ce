"""Where a result goes: to the screen, into a variable, into a frame."""

from __future__ import annotations

import ast
import keyword
from argparse import Namespace
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from IPython.core.interactiveshell import InteractiveShell

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.frames import check_package
from nango_jupyter.magics.template import InputTemplate

if TYPE_CHECKING:
    from nango_jupyter.batch import BatchResult
    from nango_jupyter.display.limits import Limits
    from nango_jupyter.results import NangoResult

__all__ = ["Output", "is_silent", "read_output"]

DrawnT = TypeVar("DrawnT", bound="NangoResult | BatchResult")


@dataclass(frozen=True)
class Output:
    """What a line says about its result.

    Attributes
    ----------
    name : str
        The variable that it goes into; "" to draw it.
    frame : {"", "pandas", "polars"}
        What it is turned into.
    is_silent : bool
        Whether a ``;`` keeps it from being drawn.
    limits : Limits or None
        How much of it is drawn, if the settings say so.
    """

    name: str = ""
    frame: Literal["", "pandas", "polars"] = ""
    is_silent: bool = False
    limits: Limits | None = None

    def within_limits(self, result: DrawnT) -> DrawnT:
        """Return a result that is drawn with as many rows and columns as the settings say."""
        return result if self.limits is None else replace(result, limits=self.limits)

    def deliver(self, shell: InteractiveShell, result: Any, kept: str = "") -> Any:
        """Put a result where it goes; return what the magic returns.

        Parameters
        ----------
        shell : InteractiveShell
        result : NangoResult, BatchResult or Job
        kept : str
            Where the result is if it can't be turned into a frame.
        """
        found = self._convert(result, kept) if self.frame else result
        if not self.name:
            return None if self.is_silent else found
        shell.push({self.name: found})
        return None

    def _convert(self, result: Any, kept: str) -> Any:
        try:
            return result.to_pandas() if self.frame == "pandas" else result.to_polars()
        except NangoUsageError as error:
            error.hint = f"{error.hint} {kept}".strip()
            raise


def read_output(
    args: Namespace, shell: InteractiveShell, magic: str, line: str, cell: InputTemplate | None
) -> Output:
    """Read what says where a result goes.

    Parameters
    ----------
    args : Namespace
        With what `output_arguments` declares.
    shell : InteractiveShell
    magic, line : str
    cell : InputTemplate or None
        What was read in a cell magic's cell.

    Raises
    ------
    NangoUsageError
        If it can't be followed: before anything is sent.
    """
    name = _variable(args)
    frame: Literal["", "pandas", "polars"] = ""
    if args.frame and args.polars:
        raise NangoUsageError("There is --frame and --polars", "Keep one of the two.")
    if args.frame:
        frame = "pandas"
    elif args.polars:
        frame = "polars"
    if frame and getattr(args, "no_wait", False):
        raise NangoUsageError(
            "A frame is made of the result, for which --no-wait does not wait",
            "Leave one out; later: job.result().to_pandas().",
        )
    if frame:
        check_package(frame)
    if cell is None:
        return Output(name, frame, is_silent(args, shell, magic, line))
    return Output(name, frame, cell.is_silent or args.is_silent)


def _variable(args: Namespace) -> str:
    names = {str(name) for name in (args.assign_to, args.out) if name}
    if len(names) > 1:
        raise NangoUsageError("There are two variables to put the result into", "Keep one of them.")
    name = next(iter(names), "")
    if name and (not name.isidentifier() or keyword.iskeyword(name)):
        raise NangoUsageError(
            f"{name!r} can't be a variable", "Give a name such as result: --out result."
        )
    return name


def is_silent(args: Namespace, shell: InteractiveShell, magic: str, line: str) -> bool:
    """Tell whether a ``;`` keeps the output of a line magic away.

    The ``;`` of IPython stands behind the call that a magic's line becomes, and ours within it.
    Where the call is part of a statement, as in `x = %magic …;`, its result is wanted.
    """
    return bool(args.is_silent) and _stands_alone(shell, magic, line)


def _stands_alone(shell: InteractiveShell, magic: str, line: str) -> bool:
    parsed = shell.history_manager.input_hist_parsed if shell.history_manager else [""]
    try:
        body = ast.parse(parsed[-1]).body
    except SyntaxError:
        return False
    last = body[-1] if body else None
    if not isinstance(last, ast.Expr) or not isinstance(last.value, ast.Call):
        return False
    arguments = [getattr(item, "value", None) for item in last.value.args]
    return arguments == [magic, line]
