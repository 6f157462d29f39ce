"""Writes an action of a notebook into an integrations folder, from where `serve` runs it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.samples import Samples
from nango_jupyter.server.config import is_plain_name
from nango_jupyter.server.loader import SUFFIX

__all__ = ["SavedAction", "save_action", "settings_of"]

_CONFIG = "integrations.yaml"


@dataclass(frozen=True)
class SavedAction:
    """What was written.

    Attributes
    ----------
    path : Path
        The action's file.
    is_replaced : bool
        Whether there was one before.
    note : str
        What became of integrations.yaml, or what to do about it; "" if it was left alone.
    """

    path: Path
    is_replaced: bool
    note: str


def settings_of(integration: str, folder: Path | None, base_url: str | None) -> dict[str, Any]:
    """Return an integration's settings, as integrations.yaml has them.

    Parameters
    ----------
    integration : str
    folder : Path or None
        What is served: the samples without one. Its settings are taken over as they are written,
        with ``${NAME}`` for what the environment has.
    base_url : str or None
        Of an integration that the folder doesn't have.
    """
    path = (folder or Samples().folder) / _CONFIG
    with contextlib.suppress(OSError, yaml.YAMLError, ValueError, RecursionError):
        found = _entries(yaml.safe_load(path.read_bytes())).get(integration)
        if isinstance(found, dict):
            return found
    settings: dict[str, Any] = {"auth": {"auth_mode": "OAUTH2"}}
    if base_url:
        headers = {"Authorization": "Bearer ${access_token}"}
        settings["requests"] = {"base_url": base_url, "headers": headers}
    return settings


def save_action(
    folder: Path, integration: str, name: str, text: str, settings: Mapping[str, Any]
) -> SavedAction:
    """Write an action's file, and its integration's settings if the folder has none.

    Parameters
    ----------
    folder : Path
        Made if need be.
    integration, name : str
    text : str
        The file's.
    settings : mapping
        The integration's, as in integrations.yaml.

    Raises
    ------
    NangoUsageError
        If a name leads out of the folder, or a file can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder = folder.resolve()
        path = _place(folder, integration, name)
        is_replaced = path.exists()
        note = _add_settings(folder / _CONFIG, integration, dict(settings))
        path.parent.mkdir(exist_ok=True)
        _write(path, text)
    except OSError as error:
        raise NangoUsageError(
            f"{error.filename or folder} can't be written: {error.strerror}",
            "The action is defined all the same; give another folder to --save.",
        ) from None
    return SavedAction(path, is_replaced, note)


def _place(folder: Path, integration: str, name: str) -> Path:
    for one in (integration, name):
        if not is_plain_name(one) or one.startswith("."):
            raise NangoUsageError(f"{one!r} can't be a file's name", "Give a word, as in notify.")
    if not (folder / integration).resolve().is_relative_to(folder):
        raise NangoUsageError(f"{folder / integration} leads out of the folder", "Remove the link.")
    return folder / integration / f"{name}{SUFFIX}"


def _write(path: Path, text: str) -> None:
    """Write a file at once: a server that looks at it sees all of it, or what was before."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(text.encode())
        if path.exists():
            draft.chmod(path.stat().st_mode)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _add_settings(path: Path, integration: str, settings: dict[str, Any]) -> str:
    """Put the integration into integrations.yaml, unless it is there; tell what was done."""
    entry = {integration: settings}
    with contextlib.suppress(yaml.YAMLError, ValueError, RecursionError):  # a file to be mended
        text = path.read_bytes().decode("utf-8-sig") if path.exists() else ""
        before = yaml.safe_load(text)
        if integration in _entries(before):
            return ""
        added = _appended(text, before, entry)
        if added is not None:
            _write(path, added)
            return f"{integration} was added to {path.name}: look at its settings"
    return f"Add to {path.name}:\n{_dump(entry)}"


def _entries(found: Any) -> dict[Any, Any]:
    """Return the integrations by name, of either form of integrations.yaml."""
    entries = found.get("integrations", found) if isinstance(found, dict) else found
    if isinstance(entries, list):
        return {name: one[name] for one in entries if isinstance(one, dict) for name in one}
    return entries if isinstance(entries, dict) else {}


def _appended(text: str, before: Any, entry: dict[str, Any]) -> str | None:
    """Return the text with the entry at its end; None if that doesn't do what it should.

    Not written anew by PyYAML, which would drop all comments.
    """
    if before is None:
        return f"{_with_newline(text)}{_dump({'integrations': entry})}"
    place, entries = yaml.compose(text), before
    if isinstance(place, yaml.MappingNode) and "integrations" in before:
        place = next(value for key, value in place.value if key.value == "integrations")
        entries = before["integrations"]
    if not isinstance(place, yaml.CollectionNode) or place.flow_style:
        return None
    is_list = isinstance(entries, list)
    indent = " " * place.start_mark.column
    lines = _dump([entry] if is_list else entry).splitlines()
    added = _with_newline(text) + "".join(f"{indent}{line}\n" for line in lines)
    grown = [*entries, entry] if is_list else entries | entry
    after = grown if entries is before else before | {"integrations": grown}
    return added if yaml.safe_load(added) == after else None


def _with_newline(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _dump(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, indent=4)
