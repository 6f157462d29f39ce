"""`IntegrationsFolder`: the integrations and actions of a folder, as they are at this moment."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from nango_jupyter.exceptions import NangoConfigError, NangoUsageError
from nango_jupyter.server.action_files import (
    ActionFile,
    ActionPaths,
    LoadedAction,
    now,
    stays_in_use,
)
from nango_jupyter.server.config import (
    CONFIG_FILES,
    FolderConfig,
    Integration,
    is_plain_name,
    read_config,
)
from nango_jupyter.server.definitions import ActionDefinition
from nango_jupyter.server.problems import Problem, in_order, unusable
from nango_jupyter.server.sections import check_url
from nango_jupyter.server.threads import in_thread
from nango_jupyter.server.versions import TrackedFile
from nango_jupyter.server.watching import changes

__all__ = ["ActionDescription", "Examination", "IntegrationsFolder", "LoadedAction"]

log = logging.getLogger(__name__)

_Key = tuple[str, str]
_CONFIG: _Key = ("", "")


@dataclass(frozen=True)
class ActionDescription:
    """What there is to say of an action.

    Attributes
    ----------
    integration, name : str
    description : str
        "" without one.
    idempotent : bool
    input_schema : dict or None
        A JSON schema; None for an action that takes whatever comes.
    """

    integration: str
    name: str
    description: str
    idempotent: bool
    input_schema: dict[str, object] | None


@dataclass(frozen=True)
class Examination:
    """What came of looking at everything in a folder.

    Attributes
    ----------
    folder : IntegrationsFolder
        Fit for use if there are no problems.
    problems, warnings : list of Problem
        Sorted by file and line.
    """

    folder: IntegrationsFolder
    problems: list[Problem]
    warnings: list[Problem]


class IntegrationsFolder:
    """The integrations and actions of a folder; those that change are read again.

    A file that is broken leaves its last version that worked in use. Belongs to one event loop;
    action files are run in threads. Made by `open` or `examine`.

    Attributes
    ----------
    config : FolderConfig
        As of the last `look`, with the integrations that were made by `define`.
    """

    def __init__(
        self,
        path: Path,
        config: FolderConfig,
        environ: Mapping[str, str],
        tracked: Sequence[TrackedFile],
    ) -> None:
        self._path = path.absolute()  # a link in it may lead elsewhere one day
        self.config = config
        self._written = config
        self._environ = environ
        self._tracked = tracked
        self._since = now()
        self._config_note = ""
        self._paths = ActionPaths(config.folder)
        self._files: dict[_Key, ActionFile] = {}
        self._defined: dict[_Key, LoadedAction] = {}
        self._made: dict[str, Integration] = {}
        self._tasks: dict[_Key, asyncio.Task[None]] = {}

    @classmethod
    async def open(cls, path: Path, environ: Mapping[str, str]) -> IntegrationsFolder:
        """Read a folder, and load all of its actions.

        Parameters
        ----------
        path : Path
        environ : mapping of str to str
            What ``${NAME}`` in the folder's files stands for.

        Raises
        ------
        NangoConfigError
            With everything that is wrong, one line each.
        """
        found = await cls.examine(path, environ)
        if found.problems:
            found.folder.close()
            raise unusable(found.folder.config.folder, found.problems)
        for warning in found.warnings:
            log.warning("%s", warning)
        return found.folder

    @classmethod
    async def examine(cls, path: Path, environ: Mapping[str, str]) -> Examination:
        """Read a folder, load all of its actions, and tell what is wrong with it.

        Raises
        ------
        NangoConfigError
            If there is no such folder.
        """
        tracked = _track(path)
        reading = await in_thread(lambda: read_config(path, environ))
        folder = cls(path, reading.config, environ, tracked)
        problems, warnings = list(reading.problems), list(reading.warnings)
        # Where nobody knows which integrations there are, all that have a folder are looked at.
        names = folder._paths.integrations() if reading.names is None else reading.names
        for name in names:
            problems += await folder._load_all(name)
        if reading.names is not None:
            # What is left of an integration that was taken out keeps no server from starting.
            strays = folder._paths.integrations() - reading.names
            warnings += [_stray(name, reading.names) for name in strays]
        return Examination(folder, in_order(problems), in_order(warnings))

    async def look(self) -> None:
        """Read the two YAML files again if they have changed."""
        while _CONFIG in self._tasks or not all(file.is_unchanged() for file in self._tracked):
            await self._once(_CONFIG, self._reload_config)

    async def action(self, integration: str, name: str) -> LoadedAction | None:
        """Return an action as it is now; None if there is none of this name.

        Raises
        ------
        NangoConfigError
            If its file has no version that works.
        """
        key = (integration, name)
        if key in self._defined:
            return self._defined[key]
        file = self._files.get(key)
        if file is None:
            if self._paths.find(integration, name) is None:
                return None
            file = self._file(key)
        while key in self._tasks or not file.is_current():
            await self._once(key, partial(self._reload, file))
        return file.in_use()

    def notes(self, integration: str) -> list[str]:
        """Tell why an integration's settings are older than its file; empty if they are not."""
        is_made = integration in self._made and integration not in self._written.integrations
        return [self._config_note] if self._config_note and not is_made else []

    def define(
        self,
        integration: str,
        name: str,
        definition: ActionDefinition,
        base_url: str | None = None,
    ) -> bool:
        """Take an action into use that was defined in a notebook; it wins over a file.

        Parameters
        ----------
        integration : str
            One that integrations.yaml doesn't have is made, with the auth mode OAUTH2.
        name : str
        definition : ActionDefinition
        base_url : str, optional
            Of an integration that is made: its requests go there, with the access token.

        Returns
        -------
        bool
            Whether the integration was made.

        Raises
        ------
        NangoUsageError
            If a name or the URL can't be used.
        """
        for one in (integration, name):
            if not is_plain_name(one) or one.startswith("."):
                raise NangoUsageError(f"{one!r} can't be a name", "Give a word, such as notify.")
        is_new = integration not in self.config.integrations
        if integration not in self._written.integrations and (is_new or base_url):
            self._make(integration, base_url)
        self._defined[integration, name] = LoadedAction(definition)
        return is_new

    def names(self, integration: str) -> list[str]:
        """Return the names of an integration's actions, sorted."""
        defined = {name for made_for, name in self._defined if made_for == integration}
        return sorted(defined.union(self._paths.names(integration)))

    def integrations(self) -> Mapping[str, list[str]]:
        """Return each integration's actions, as the folder has them now, sorted."""
        return {name: self.names(name) for name in self.config.integrations}

    async def describe(self) -> list[ActionDescription]:
        """Describe all actions that work."""
        found = []
        for integration, names in self.integrations().items():
            for name in names:
                with contextlib.suppress(NangoConfigError):
                    if loaded := await self.action(integration, name):
                        found.append(_description(integration, name, loaded.definition))
        return found

    async def watch(self) -> None:
        """Read what changes as soon as it does, and say so in the log, until cancelled.

        `look` and `action` are always up to date without it.
        """
        async for _ in changes(self.config.folder):
            await self.look()
            await self._look_at_actions()

    def close(self) -> None:
        """Forget the actions; those that are loading are interrupted."""
        for task in self._tasks.values():
            task.cancel()
        self._files.clear()
        self._defined.clear()

    async def _load_all(self, integration: str) -> list[Problem]:
        problems = []
        for name in self._paths.names(integration):
            file = self._file((integration, name))
            await file.load()
            problems += [file.problem] if file.problem else []
        return problems

    async def _look_at_actions(self) -> None:
        for integration, names in self.integrations().items():
            for key in [(integration, name) for name in names]:
                self._file(key)
        for key, file in list(self._files.items()):
            if key[0] not in self.config.integrations:
                del self._files[key]
            elif not file.is_current():
                await self._once(key, partial(self._reload, file))

    def _file(self, key: _Key) -> ActionFile:
        if key not in self._files:
            self._files[key] = ActionFile(self._paths, *key)
        return self._files[key]

    async def _once(self, key: _Key, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do what others may be doing already: then wait for them."""
        if key not in self._tasks:
            self._tasks[key] = asyncio.create_task(work())
            self._tasks[key].add_done_callback(lambda _: self._tasks.pop(key, None))
        await asyncio.shield(self._tasks[key])  # others may wait for it: they are not cancelled

    async def _reload(self, file: ActionFile) -> None:
        await file.load()
        if file.is_gone:
            log.info("%s is gone", file.label)
        elif file.problem is None:
            log.info("%s was loaded", file.label)
        else:
            log.error("%s", file.note or file.problem)

    async def _reload_config(self) -> None:
        _note_versions(self._tracked)
        try:
            reading = await in_thread(lambda: read_config(self._path, self._environ))
            problems = in_order(reading.problems)
        except NangoConfigError as error:
            problems = [Problem(CONFIG_FILES[-1], None, error.message)]
        if problems:
            self._config_note = stays_in_use(problems[0], self._since, len(problems) - 1)
            log.error("%s", self._config_note)
            return
        for warning in in_order(reading.warnings):
            log.warning("%s", warning)
        before, self._written = self._written, reading.config
        if self._written.folder != before.folder:  # it is a link, which leads elsewhere now
            self._paths = ActionPaths(self._written.folder)
            self._files.clear()
        self._config_note, self._since = "", now()
        self._combine()
        log.info("the integrations were read: %s", _difference(before, self._written))

    def _make(self, name: str, base_url: str | None) -> None:
        try:
            url = check_url(base_url) if base_url else None
        except ValueError as error:
            raise NangoUsageError(f"base_url: {error}") from None
        headers = {"Authorization": "Bearer ${access_token}"} if url else {}
        defaults = self._written.defaults
        self._made[name] = replace(defaults, name=name, base_url=url, headers=headers)
        self._combine()

    def _combine(self) -> None:
        integrations = {**self._made, **self._written.integrations}
        self.config = replace(self._written, integrations=integrations)


def _track(folder: Path) -> list[TrackedFile]:
    tracked = [TrackedFile(folder.absolute() / name) for name in CONFIG_FILES]
    _note_versions(tracked)
    return tracked


def _note_versions(files: Iterable[TrackedFile]) -> None:
    """Note how files are before they are read for use: what changes meanwhile is seen later."""
    for file in files:
        with contextlib.suppress(OSError):  # reading them for use tells
            file.read()


def _stray(name: str, known: Collection[str]) -> Problem:
    has = ", ".join(sorted(known)) or "none"
    text = f"it holds actions, but integrations.yaml has no integration {name!r} (it has: {has})"
    return Problem(name, None, text)


def _description(integration: str, name: str, definition: ActionDefinition) -> ActionDescription:
    return ActionDescription(
        integration, name, definition.description, definition.idempotent, definition.input_schema
    )


def _difference(before: FolderConfig, after: FolderConfig) -> str:
    """Say in what the integrations of two versions differ."""
    old, new = before.integrations, after.integrations
    changed = {name for name in old.keys() & new.keys() if old[name] != new[name]}
    parts = {"new": new.keys() - old.keys(), "gone": old.keys() - new.keys(), "changed": changed}
    said = [f"{what}: {', '.join(sorted(names))}" for what, names in parts.items() if names]
    return "; ".join(said) or "they are the same"
