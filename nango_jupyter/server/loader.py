"""Runs action files; each is a module of its own."""

from __future__ import annotations

import ast
import itertools
import re
import sys
import weakref
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from nango_jupyter.exceptions import NangoConfigError
from nango_jupyter.secrets import redact
from nango_jupyter.server.actions import NangoAction
from nango_jupyter.server.config import is_plain_name
from nango_jupyter.server.definitions import ActionDefinition, find_definition
from nango_jupyter.server.problems import Problem

__all__ = ["SUFFIX", "ActionFiles", "load_definition"]

SUFFIX = ".action.py"
_SUFFIX = SUFFIX
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
    name = re.sub(r"\W", "_", label.removesuffix(_SUFFIX))
    module = ModuleType(f"_nango_action_{next(_numbers)}_{name}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    try:
        exec(  # noqa: S102 - running the user's actions is the job
            compile(source, str(path), "exec", dont_inherit=True), module.__dict__
        )
        definition = find_definition(module, label)
    except BaseException as error:
        del sys.modules[module.__name__]
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


@dataclass(frozen=True)
class _Loaded:
    version: tuple[int, int]
    module: str
    action: type[NangoAction]


class ActionFiles:
    """The action files of an integrations folder.

    Parameters
    ----------
    folder : Path
        Absolute, with symbolic links resolved.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loaded: dict[Path, _Loaded] = {}

    def find(self, integration: str, action: str) -> Path | None:
        """Return an action's file; None if there is none, or it isn't inside the folder."""
        if not (is_plain_name(integration) and is_plain_name(action)):
            return None
        return self._inside(self._folder / integration / f"{action}{_SUFFIX}")

    def names(self, integration: str) -> list[str]:
        """Return the names of an integration's actions, sorted."""
        try:
            files = [path.name for path in (self._folder / integration).iterdir()]
        except OSError:  # no such folder, or not to be read
            return []
        names = [file.removesuffix(_SUFFIX) for file in files if file.endswith(_SUFFIX)]
        return sorted(name for name in names if name and self.find(integration, name))

    def load(self, path: Path) -> type[NangoAction]:
        """Return the file's action class; the file is run again only when it has changed.

        Raises
        ------
        NangoConfigError
            If the file doesn't define exactly one.
        Exception
            Whatever the file itself raises.
        """
        known = self._loaded.get(path)
        try:
            status = path.stat()
            version = (status.st_mtime_ns, status.st_size)
            if known and known.version == version:
                return known.action
            source = path.read_bytes()
        except OSError as error:
            raise NangoConfigError(f"{self._label(path)} can't be read: {error.strerror}") from None
        module = self._run(path, source)
        if known:
            sys.modules.pop(known.module, None)
        action = self._action_class(module, path)
        self._loaded[path] = _Loaded(version, module.__name__, action)
        return action

    def close(self) -> None:
        """Forget the modules."""
        for loaded in self._loaded.values():
            sys.modules.pop(loaded.module, None)
        self._loaded.clear()

    def _inside(self, path: Path) -> Path | None:
        try:
            found = path.resolve(strict=True)
            # is_file: opening a named pipe would wait for ever.
            return found if found.is_relative_to(self._folder) and found.is_file() else None
        except (OSError, ValueError, RuntimeError):  # too long, a NUL, links in a circle
            return None

    def _run(self, path: Path, source: bytes) -> ModuleType:
        """Run the file as a module of its own, outside of the import system.

        Its name in sys.modules is what dataclasses and pickle look for, and no one else's.
        """
        label = re.sub(r"\W", "_", f"{path.parent.name}_{path.name.removesuffix(_SUFFIX)}")
        module = ModuleType(f"_nango_action_{next(_numbers)}_{label}")
        module.__file__ = str(path)
        code = compile(source, str(path), "exec", dont_inherit=True)
        sys.modules[module.__name__] = module
        try:
            exec(code, module.__dict__)  # noqa: S102 - running the user's actions is the job
        except BaseException:
            del sys.modules[module.__name__]
            raise
        return module

    def _action_class(self, module: ModuleType, path: Path) -> type[NangoAction]:
        found = {
            item
            for item in vars(module).values()
            if isinstance(item, type)
            and issubclass(item, NangoAction)
            and item.__module__ == module.__name__
        }
        if len(found) != 1:
            del sys.modules[module.__name__]
            names = ", ".join(sorted(item.__name__ for item in found)) or "none"
            raise NangoConfigError(
                f"{self._label(path)} must define one subclass of NangoAction; it defines {names}"
            )
        return found.pop()

    def _label(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()
