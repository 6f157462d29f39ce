"""The action files of an integrations folder; no name leads out of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from nango_jupyter.exceptions import NangoConfigError
from nango_jupyter.server.config import is_plain_name
from nango_jupyter.server.definitions import ActionDefinition
from nango_jupyter.server.loader import SUFFIX, load_definition
from nango_jupyter.server.problems import Problem
from nango_jupyter.server.threads import in_thread
from nango_jupyter.server.versions import TrackedFile

__all__ = ["ActionFile", "ActionPaths", "LoadedAction", "now", "stays_in_use"]

_LONGEST_LOAD = 30.0


def now() -> str:
    """Return the time of day that versions are called by, as the log has it."""
    return f"{datetime.now(UTC):%H:%M:%S} UTC"


def stays_in_use(problem: Problem, since: str, more: int = 0) -> str:
    """Say what is wrong with a file whose last version that worked goes on being used."""
    others = f" (and {more} more)" if more else ""
    return f"{problem}{others}; the version of {since} stays in use"


@dataclass(frozen=True)
class LoadedAction:
    """An action, ready to be run.

    Attributes
    ----------
    definition : ActionDefinition
    note : str
        Why the newest file isn't what runs; "" if it is.
    """

    definition: ActionDefinition
    note: str = ""


class ActionPaths:
    """Where the actions of a folder are.

    Parameters
    ----------
    folder : Path
        Absolute, with symbolic links resolved.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, integration: str, action: str) -> Path:
        """Return where an action's file would be."""
        return self._folder / integration / f"{action}{SUFFIX}"

    def find(self, integration: str, action: str) -> Path | None:
        """Return an action's file; None if there is none, or it isn't inside the folder.

        The names may come from anywhere. One that begins with a dot is an editor's file.
        """
        if not (is_plain_name(integration) and is_plain_name(action)) or action.startswith("."):
            return None
        try:
            found = self.path(integration, action).resolve(strict=True)
            # is_file: opening a named pipe would wait for ever.
            return found if found.is_relative_to(self._folder) and found.is_file() else None
        except (OSError, ValueError, RuntimeError):  # too long, a NUL, links in a circle
            return None

    def names(self, integration: str) -> list[str]:
        """Return the names of an integration's actions, sorted."""
        try:
            files = [path.name for path in (self._folder / integration).iterdir()]
        except OSError:  # no such folder, or not to be read
            return []
        names = [file.removesuffix(SUFFIX) for file in files if file.endswith(SUFFIX)]
        return sorted(name for name in names if name and self.find(integration, name))

    def integrations(self) -> set[str]:
        """Return the names of the folders that hold actions."""
        names = {path.name for path in self._folder.iterdir() if not path.name.startswith(".")}
        return {name for name in names if self.names(name)}


class ActionFile:
    """One action's file, and the version of it that is in use.

    Parameters
    ----------
    paths : ActionPaths
    integration, action : str

    Attributes
    ----------
    label : str
        What the file is called in problems.
    problem : Problem or None
        What is wrong with the file as it is now.
    is_gone : bool
    """

    def __init__(self, paths: ActionPaths, integration: str, action: str) -> None:
        self._paths = paths
        self._name = (integration, action)
        self._tracked = TrackedFile(paths.path(integration, action))
        self._definition: ActionDefinition | None = None
        self._since = ""
        self._loaded: LoadedAction | None = None
        self.label = f"{integration}/{action}{SUFFIX}"
        self.problem: Problem | None = None
        self.is_gone = False

    def is_current(self) -> bool:
        """Tell whether the file is what it was when it was loaded last."""
        return self._tracked.is_unchanged()

    @property
    def note(self) -> str:
        """What is wrong, and what is used instead; "" if nothing is wrong, or nothing is used."""
        return self._loaded.note if self._loaded else ""

    async def load(self) -> None:
        """Read the file, and take it into use if it works. Not twice at the same time."""
        self._tracked.pass_over()  # first: what comes into being from now on is seen later
        path = self._paths.find(*self._name)
        outcome = await self._run(path) if path else None
        self.is_gone = outcome is None
        self.problem = outcome if isinstance(outcome, Problem) else None
        if outcome is None:
            self._definition = self._loaded = None
        elif isinstance(outcome, ActionDefinition):
            self._definition, self._since = outcome, now()
            self._loaded = LoadedAction(outcome)
        elif self._definition:
            self._loaded = LoadedAction(self._definition, stays_in_use(outcome, self._since))

    def in_use(self) -> LoadedAction | None:
        """Return the version that is in use; None if the file is gone.

        Raises
        ------
        NangoConfigError
            If no version of the file works.
        """
        if self._loaded is None and self.problem:
            raise NangoConfigError(str(self.problem))
        return self._loaded

    async def _run(self, path: Path) -> ActionDefinition | Problem | None:
        """Load the file; None if it went away just now."""
        try:
            source = self._tracked.read()
        except OSError as error:
            return Problem(self.label, None, f"it can't be read: {error.strerror}")
        if source is None:
            return None
        try:
            async with asyncio.timeout(_LONGEST_LOAD):
                return await in_thread(lambda: load_definition(path, self.label, source))
        except TimeoutError:
            text = f"it still ran after {_LONGEST_LOAD:g} s: an action's file only defines things"
            return Problem(self.label, None, text)
