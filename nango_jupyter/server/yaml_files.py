"""Reads the YAML of an integrations folder; whatever is wrong becomes a problem with its line."""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from nango_jupyter.secrets import is_secret_name, remember
from nango_jupyter.server.problems import Problem

__all__ = ["VARIABLE", "Place", "Substitution", "YamlFile"]

VARIABLE = re.compile(r"\$\{([^{}]*)\}")
"""``${NAME}``: an environment variable, or what a connection's credentials fill in."""

_MERGE = "tag:yaml.org,2002:merge"


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, which notes keys that stand twice and places values it can't read."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.twice: list[tuple[int, str]] = []

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        # Looked at before merge keys are replaced by what they stand for.
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
                if key.value in seen:
                    self.twice.append((key.start_mark.line + 1, key.value))
                seen.add(key.value)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Hashable:
        try:
            found: Hashable = super().construct_object(node, deep)
        except (ValueError, OverflowError) as error:  # PyYAML passes on what 2026-13-45 gives
            raise yaml.constructor.ConstructorError(
                None, None, f"a value can't be read: {error}", node.start_mark
            ) from None
        return found


class YamlFile:
    """What a YAML file holds, and where in it.

    Attributes
    ----------
    name : str
        Of the file.
    value : any
        None if the file can't be read.
    is_read : bool
    problems, warnings : list of Problem
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.value: Any = None
        self.is_read = False
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self._root: yaml.Node | None = None
        if path.exists() and not path.is_file():  # a named pipe would make us wait
            self._add(None, "it is not a file")
            return
        try:
            content = path.read_bytes()
        except OSError as error:
            self._add(None, f"it can't be read: {error.strerror}")
        else:
            self._parse(content)

    def line(self, keys: tuple[str | int, ...]) -> int | None:
        """Return the line of what these keys lead to, or of the last one that is there."""
        node, line = self._root, None
        for key in keys:
            found = _child(node, key)
            if found is None:
                break
            line, node = found
        return line

    def _parse(self, content: bytes) -> None:
        try:
            self._construct(content.decode("utf-8-sig"))
            self.is_read = True
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            self._add(mark.line + 1 if mark else None, str(error.problem))
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            self._add(line, f"it is not UTF-8 text: {error.reason}")
        except yaml.reader.ReaderError as error:
            line = content.decode("utf-8-sig")[: error.position].count("\n") + 1
            self._add(line, f"it is not text: {error.reason}")
        except RecursionError:
            self._add(None, "it is nested too deeply")

    def _construct(self, text: str) -> None:
        loader = _Loader(text)
        try:
            self._root = loader.get_single_node()
            if self._root is not None:
                self.value = loader.construct_document(self._root)
        finally:
            for line, key in loader.twice:
                self._add(line, f"{key!r} stands here twice")
            loader.dispose()

    def _add(self, line: int | None, text: str) -> None:
        self.problems.append(Problem(self.name, line, text))


def _child(node: yaml.Node | None, key: str | int) -> tuple[int, yaml.Node] | None:
    """Return the line and the node of one entry of a map or a list."""
    if isinstance(node, yaml.MappingNode):
        for name, value in reversed(node.value):  # what a merge key brought stands first
            if isinstance(name, yaml.ScalarNode) and name.value == str(key):
                return name.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        item = node.value[key]
        return item.start_mark.line + 1, item
    return None


@dataclass(frozen=True)
class Place:
    """A place in a YAML file.

    Attributes
    ----------
    file : YamlFile
    keys : tuple of str and int
        The way to it from the file's top.
    label : str
        What it is called in problems; shorter than `keys` where that is clear enough.
    """

    file: YamlFile
    keys: tuple[str | int, ...] = ()
    label: str = ""

    def at(self, key: str | int) -> Place:
        """Return the place of one entry."""
        step = f"[{key}]" if isinstance(key, int) else f".{key}" if self.label else key
        return Place(self.file, (*self.keys, key), self.label + step)

    def called(self, label: str) -> Place:
        """Return the same place under another name."""
        return replace(self, label=label)

    def problem(self, text: str) -> None:
        """Note what is wrong here."""
        self.file.problems.append(self._said(text))

    def warning(self, text: str) -> None:
        """Note what may be wrong here."""
        self.file.warnings.append(self._said(text))

    def _said(self, text: str) -> Problem:
        line = self.file.line(self.keys)
        return Problem(self.file.name, line, f"{self.label}: {text}" if self.label else text)


@dataclass(frozen=True)
class Substitution:
    """Puts environment variables in the place of ``${NAME}``.

    Done on the values, not on the file's text: no variable's content can change the structure.

    Parameters
    ----------
    environ : mapping
    keep : collection of str
        Names that stay as they are.
    """

    environ: Mapping[str, str]
    keep: Collection[str] = ()

    def fill(self, value: Any, place: Place) -> Any:
        """Return a copy of the value with its variables replaced; one that isn't set is a problem.

        Parameters
        ----------
        value : any
        place : Place
            Where the value stands.
        """
        try:
            return self._fill(value, place)
        except RecursionError:  # a YAML anchor that is used inside of itself
            place.problem("it contains itself")
            return None

    def _fill(self, value: Any, place: Place) -> Any:
        if isinstance(value, str):
            return VARIABLE.sub(lambda found: self._lookup(found, place), value)
        if isinstance(value, dict):
            return {key: self._fill(item, place.at(str(key))) for key, item in value.items()}
        if isinstance(value, list):
            return [self._fill(item, place.at(index)) for index, item in enumerate(value)]
        return value

    def _lookup(self, found: re.Match[str], place: Place) -> str:
        name = found[1]
        if name in self.keep or (self.keep and name.startswith("raw.")):
            return found[0]
        if name not in self.environ:
            place.problem(f"the environment variable {name} is not set")
            return found[0]
        if is_secret_name(name) or is_secret_name(place.label):
            remember(self.environ[name])
        return self.environ[name]
