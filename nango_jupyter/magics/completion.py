"""Completes the lines of the magics: options, and the names of what there is to trigger."""

from __future__ import annotations

import argparse
import asyncio
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from IPython.core.completer import (
    CompletionContext,
    SimpleCompletion,
    SimpleMatcherResult,
)

from nango_jupyter.exceptions import NangoError
from nango_jupyter.magics.candidates import (
    batches,
    environment,
    paths,
    rows,
    user_variables,
    variables,
    written,
)
from nango_jupyter.magics.cursor import Position, find_magic, find_position

if TYPE_CHECKING:
    from nango_jupyter.connections import OpenConnection
    from nango_jupyter.magics.notebook import Notebook
    from nango_jupyter.messages import UserId

__all__ = ["MagicCompleter"]

_PREFIX = "nango_"
_PATIENCE = 0.03  # for the embedded server's users, in seconds: a Tab must not be felt
_MOST_USERS = 1_000
_DOLLAR = re.compile(r"\$[^\W\d]?\w*$")

_QUOTES = ("'", '"')

_T = TypeVar("_T")


class _Nothing(Sequence[_T]):
    """No completions, that still keep out those of IPython: it asks for the length."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: Any) -> Any:
        raise IndexError(index)

    def __iter__(self) -> Iterator[_T]:
        return iter(())


class MagicCompleter:
    """A matcher for IPython's completer.

    Parameters
    ----------
    notebook : Notebook
        The magics of its shell that begin with ``nango_`` are completed, by their parsers.
    """

    def __init__(self, notebook: Notebook) -> None:
        self._notebook = notebook
        self._shell = notebook.shell
        self._session = notebook.session
        self._loop = notebook.loop
        self._asking: dict[tuple[int, str], asyncio.Task[list[UserId]]] = {}

    def match(self, context: CompletionContext) -> SimpleMatcherResult:
        """Complete where the cursor is on an argument of our magics; nothing anywhere else."""
        try:
            found = self._find(context)
        except Exception:  # a Tab never shows a traceback
            found = None
        if found is None:
            return {"completions": [], "suppress": False}
        fragment, completions = found
        return {
            "completions": completions or _Nothing(),
            "matched_fragment": fragment,
            "suppress": True,
            "ordered": True,
        }

    def _find(self, context: CompletionContext) -> tuple[str, list[SimpleCompletion]] | None:
        lines = context.full_text.split("\n")
        magics = self._magics()
        row, column = context.cursor_line, context.cursor_position
        typed = find_magic(lines, row, column, magics, self._automagics(magics, lines))
        position = find_position(typed) if typed else None
        if position is None:
            return None
        return self._variables(position.fragment) or self._complete(position)

    def _magics(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            kind: {name: magic for name, magic in found.items() if name.startswith(_PREFIX)}
            for kind, found in self._shell.magics_manager.magics.items()
        }

    def _automagics(
        self, magics: Mapping[str, Mapping[str, Any]], lines: list[str]
    ) -> Mapping[str, Mapping[str, Any]]:
        """Return what works without %: in a cell of one line, if no variable is called like it."""
        is_alone = sum(bool(line.strip()) for line in lines) == 1
        if not (self._shell.automagic and is_alone):
            return {}
        names = self._shell.user_ns
        return {"line": {name: one for name, one in magics["line"].items() if name not in names}}

    def _variables(self, fragment: str) -> tuple[str, list[SimpleCompletion]] | None:
        """Complete ``$name``, also inside of JSON, but not inside of its strings."""
        found = _DOLLAR.search(fragment)
        if found is None or "://" in fragment or fragment.startswith("'"):
            return None
        if fragment[0] in "{[" and fragment[: found.start()].count('"') % 2:
            return None
        names = variables(user_variables(self._shell))
        return found[0], _of(found[0], _as_they_are(f"${name}" for name in names), "instance")

    def _complete(self, position: Position) -> tuple[str, list[SimpleCompletion]] | None:
        fragment = position.fragment
        options = _of(fragment, _as_they_are(position.options), "option")
        if fragment.startswith("-") and position.may_be_option:
            return fragment, options
        found: list[SimpleCompletion] = []
        if position.argument is not None:
            kind = _kind_of(position.argument)
            found = _of(fragment, self._candidates(kind, position), kind)
        if not found and not fragment and position.may_be_option:
            found = options
        if not found and (fragment.startswith("[") or "{" in fragment):
            return None  # Python's, about which IPython may know more
        return fragment, found

    def _candidates(self, kind: str, position: Position) -> Iterator[tuple[str, str]]:
        """Find what may stand here, and how it is typed."""
        if kind in ("file", "folder"):
            return paths(position.fragment, folders_only=kind == "folder")
        if kind == "environment":
            return _as_they_are(environment())
        if kind in ("rows", "batch"):
            choose = rows if kind == "rows" else batches
            return _as_they_are(choose(user_variables(self._shell)))
        quote = position.fragment[:1] if position.fragment[:1] in _QUOTES else ""
        return ((str(name), written(name, quote)) for name in self._names(kind, position.given))

    def _names(self, kind: str, given: Mapping[str, str]) -> Iterable[UserId]:
        if kind == "connection":
            return [row.name for row in self._session.connections()]
        if kind == "described":
            return self._described()
        variables_now = self._shell.user_ns
        connection = self._connection(_plain(given.get("connection"), variables_now))
        if not kind or connection is None:
            return []
        if kind == "integration":
            return connection.known.integrations()
        integration = _plain(given.get("integration"), variables_now)
        if kind == "action":
            return connection.known.actions(integration or "")
        return self._users(connection, integration)

    def _described(self) -> list[str]:
        try:
            return self._notebook.preferences.connection_names()
        except NangoError:  # pyproject.toml is broken: connecting tells
            return []

    def _connection(self, name: str | None) -> OpenConnection | None:
        try:
            return self._session.connection(name)
        except NangoError:
            return None

    def _users(self, connection: OpenConnection, integration: str | None) -> list[UserId]:
        known = connection.known
        names = known.integrations() if integration is None else [integration]
        if connection.local is not None:
            self._ask(connection, names)
        found = [user for name in names for user in known.users_seen(name)]
        return list({(type(user), user): user for user in found}.values())[:_MOST_USERS]

    def _ask(self, connection: OpenConnection, integrations: list[str]) -> None:
        """Let the embedded server list its users, and wait a moment for them.

        What comes later is there for the next Tab. The server lives on the kernel's main loop; in
        a terminal that stands still while a person types, and what was asked before is known.
        """
        loop = self._loop.loop
        if threading.current_thread() is not threading.main_thread():
            if loop.is_running():
                asking = asyncio.run_coroutine_threadsafe(
                    self._wait(connection, integrations), loop
                )
                with suppress(TimeoutError):  # the loop is busy
                    asking.result(2 * _PATIENCE)
        elif asyncio._get_running_loop() in (None, loop):
            self._loop.run(self._wait(connection, integrations))

    async def _wait(self, connection: OpenConnection, integrations: list[str]) -> None:
        tasks = {self._task(connection, name) for name in integrations}
        if tasks:
            await asyncio.wait(tasks, timeout=_PATIENCE)

    def _task(self, connection: OpenConnection, integration: str) -> asyncio.Task[list[UserId]]:
        key = (id(connection), integration)
        if key not in self._asking:
            task = asyncio.ensure_future(connection.known.users(integration))
            task.add_done_callback(lambda done: self._end(key, done))
            self._asking[key] = task
        return self._asking[key]

    def _end(self, key: tuple[int, str], done: asyncio.Task[list[UserId]]) -> None:
        self._asking.pop(key, None)
        if not done.cancelled():
            done.exception()  # it was looked at: asyncio reports nothing


def _kind_of(argument: argparse.Action) -> str:
    """Tell what may stand in the place of an argument; "" for what can't be guessed."""
    dest, is_option = argument.dest, bool(argument.option_strings)
    if argument.metavar in ("FILE", "FOLDER"):
        return str(argument.metavar).lower()
    if dest.endswith("_env"):
        return "environment"
    if dest == "name":
        return "described" if is_option else "connection"
    if dest in ("use", "connection"):
        return "connection"
    if dest == "integration" or (dest in ("action", "user") and not is_option):
        return dest
    return {"each": "rows", "retry_failed": "batch"}.get(dest, "")


def _plain(word: str | None, names: Mapping[str, Any]) -> str | None:
    """Return the text that an argument stands for; variables are looked up, nothing is run."""
    if word is None:
        return None
    if word.startswith("$"):
        return str(names.get(word[1:], ""))
    is_quoted = len(word) > 1 and word[0] == word[-1] and word[0] in "'\""
    return word[1:-1] if is_quoted else word


def _as_they_are(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    return ((name, name) for name in names)


def _of(fragment: str, candidates: Iterable[tuple[str, str]], kind: str) -> list[SimpleCompletion]:
    """Return the candidates that begin with what was typed, with quotes or without."""
    typed = fragment.casefold()
    quote = typed[:1] if typed[:1] in _QUOTES else ""
    bare = typed.removeprefix(quote).removesuffix(quote) if quote else typed.lstrip("{ ")
    return [
        SimpleCompletion(text, type=kind)
        for name, text in candidates
        if text and (name.casefold().startswith(bare) or text.casefold().startswith(typed))
    ]
