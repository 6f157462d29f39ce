"""Runs action files; each is a module of its own."""

from __future__ import annotations

import ast
import itertools
import re
import sys
import weakref
from pathlib import Path
from types import ModuleType

from nango_jupyter.exceptions import NangoConfigError
from nango_jupyter.secrets import redact
from nango_jupyter.server.definitions import ActionDefinition, find_definition
from nango_jupyter.server.problems import Problem

__all__ = ["SUFFIX", "load_definition"]

SUFFIX = ".action.py"
_numbers = itertools.count(1)


def load_definition(path: Path, label: str, source: bytes) -> ActionDefinition | Problem:
    """Run an action file as a module of its own, outside of the import system.

    The module's name in sys.modules is what dataclasses and pickle look for, and no one else's.
    It stays there for as long as anybody has the definition.

    Parameters
    ----------
    path : Path
    label : str
        What the file is called in problems.
    source : bytes
        What it holds.

    Returns
    -------
    ActionDefinition or Problem
        Whatever the file raises is a problem.
    """
    name = re.sub(r"\W", "_", label.removesuffix(SUFFIX))
    module = ModuleType(f"_nango_action_{next(_numbers)}_{name}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    try:
        exec(  # noqa: S102 - running the user's actions is the job
            compile(source, str(path), "exec", dont_inherit=True), module.__dict__
        )
        definition = find_definition(module, label)
    except BaseException as error:
        sys.modules.pop(module.__name__, None)
        return _explain(error, path, label, source)
    weakref.finalize(definition, sys.modules.pop, module.__name__, None).atexit = False
    return definition


def _explain(error: BaseException, path: Path, label: str, source: bytes) -> Problem:
    if isinstance(error, NangoConfigError):
        text = error.message.removeprefix(label).removeprefix(":").strip()
        return Problem(label, _line_of_named(source, text), text)
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return Problem(label, error.lineno, error.msg)
    return Problem(label, _innermost_line(error, path), _first_line(error))


def _first_line(error: BaseException) -> str:
    name = type(error).__name__
    try:
        text = redact(str(error)).partition("\n")[0]
    except BaseException:
        text = "it has no message that can be shown"
    return f"{name}: {text}" if text else name


def _innermost_line(error: BaseException, path: Path) -> int | None:
    """Return where in the file the error came from."""
    line, traceback = None, error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == str(path):
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def _line_of_named(source: bytes, text: str) -> int | None:
    """Return the line of the last function or class that a text speaks of."""
    words = set(re.findall(r"\w+", text))
    lines = [
        item.lineno
        for item in ast.parse(source).body
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and item.name in words
    ]
    return lines[-1] if lines else None
