"""Reads the input of a trigger: JSON or YAML, with ``{{ expression }}`` for what changes."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.magics import json_input, yaml_input
from nango_jupyter.magics.expressions import find_holes
from nango_jupyter.magics.fillers import Filler, make_filler
from nango_jupyter.magics.marks import Document
from nango_jupyter.secrets import redact
from nango_jupyter.wire_json import check_json

__all__ = ["InputTemplate", "read_file", "read_input", "read_line_text"]

_MOST_FILES = 10_000  # of a folder, to guess among
_JSON_LINES = frozenset({".jsonl", ".ndjson"})


class InputTemplate:
    """An input that is read once, and filled once or for each row.

    Attributes
    ----------
    is_constant : bool
        Whether there is nothing to fill.
    is_silent : bool
        Whether it ended with ``;``, which keeps the result from being drawn.
    names : frozenset of str
        The variables that its expressions use.
    """

    def __init__(
        self,
        value: Any,
        fill: Filler | None = None,
        *,
        is_silent: bool = False,
        names: frozenset[str] = frozenset(),
    ) -> None:
        self._value = value
        self._fill = fill
        self.names = names
        self.is_constant = fill is None
        self.is_silent = is_silent

    @classmethod
    def of(cls, value: Any) -> InputTemplate:
        """Return a template that is nothing but a value."""
        return cls(value)

    def fill(self, names: Mapping[str, Any]) -> Any:
        """Return the JSON value, with variables in their place.

        Parts without expressions are the same objects each time.

        Parameters
        ----------
        names : mapping of str to object
            What expressions may use.

        Raises
        ------
        NangoUsageError
            With the place, if there is no such variable, an expression fails, or JSON can't hold
            what it gives.
        """
        return self._value if self._fill is None else self._fill(names)


def read_input(text: str, name: str = "input") -> InputTemplate:
    """Read the body of a cell.

    It is JSON if it begins with a brace or a bracket, unless its keys have no quotes, and YAML
    else. ``{{ expression }}`` in a value's place becomes the JSON of the value; inside of text it
    becomes text.

    Parameters
    ----------
    text : str
    name : str
        What the text is called in messages.

    Raises
    ------
    NangoUsageError
        With line, column and a caret under the place.
    """
    typed = _with_plain_line_ends(text)
    if not typed.strip():
        return InputTemplate(None)
    return _Reader(Document(typed, name, find_holes(typed))).read()


def read_line_text(text: str, name: str, variables: Mapping[str, Any]) -> InputTemplate:
    """Read the input on the line of a magic: JSON, or an object without quotes around its keys.

    Parameters
    ----------
    text : str
    name : str
        What the text is called in messages.
    variables : mapping of str to object
        What each ``$name`` outside of strings stands for; expressions are filled later.

    Raises
    ------
    NangoUsageError
        With the place, if it can't be read or there is no such variable.
    """
    document = Document(text, name, find_holes(text, dollars=True))
    return _Reader(document, is_line=True, variables=variables).read()


def read_file(path: str | Path, name: str = "input") -> Any:
    """Read an input from a file: JSON, YAML, or a JSON value on each line (``.jsonl``).

    Expressions are not evaluated in files.

    Parameters
    ----------
    path : str or pathlib.Path
    name : str
        What the input is called in messages.

    Raises
    ------
    NangoUsageError
        If there is no such file, or it can't be read; with file and place.
    """
    file = Path(path)
    with contextlib.suppress(RuntimeError):  # ~nobody is a name like any other
        file = file.expanduser()
    text = _with_plain_line_ends(_read_text(file, name))
    if file.suffix.lower() in _JSON_LINES:
        return _read_lines(text, file)
    if not text.strip():
        return None
    document = Document(text, _called(file), [])
    if file.suffix.lower() == ".json":
        return json_input.load_json(document)
    return _Reader(document, is_file=True).read().fill({})


def _with_plain_line_ends(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


class _Reader:
    """Reads one document, by the language that it is written in."""

    def __init__(
        self,
        document: Document,
        *,
        is_line: bool = False,
        is_file: bool = False,
        variables: Mapping[str, Any] | None = None,
    ) -> None:
        self._document = document
        self._may_be_silent = not (is_line or is_file)
        self._is_line = is_line
        self._variables = variables
        first = document.text.lstrip()[:1]  # of the marked text: a hole begins with braces too
        self._is_bracketed = first in {"{", "["}

    def read(self) -> InputTemplate:
        document = self._document
        document.mark(quoted=True)
        body = document.text.rstrip()
        ends = self._may_be_silent and body.endswith(";")
        try:
            value = json_input.decode(body.removesuffix(";") if ends else document.text)
        except json.JSONDecodeError as error:
            if self._is_json(error):
                self._raise_problem()
                raise json_input.explain(error, document) from None
        except (ValueError, RecursionError) as error:
            raise json_input.explain_limit(error, document) from None
        else:
            alone = {n for n, hole in enumerate(document.holes) if not hole.in_string}
            return self._template(value, alone, is_silent=ends)
        return self._read_yaml()

    def _is_json(self, error: json.JSONDecodeError) -> bool:
        if self._is_bracketed:
            return not json_input.has_unquoted_key(error)
        return self._is_line  # on a line, one word too many is no YAML

    def _read_yaml(self) -> InputTemplate:
        document = self._document
        document.mark(quoted=False)
        try:
            tree, is_silent = self._decode_yaml(document.text)
        except yaml_input.YamlProblemError as problem:
            self._raise_problem()
            language = "YAML" if not self._is_bracketed else "JSON or YAML"
            raise document.error(
                f"The {document.name} is not {language}: {problem.reason}",
                problem.index,
                problem.hint,
            ) from None
        except RecursionError:
            raise NangoUsageError(f"The {document.name} is nested too deeply") from None
        return self._template(tree.value, tree.alone, is_silent=is_silent)

    def _decode_yaml(self, text: str) -> tuple[yaml_input.YamlTree, bool]:
        """Read YAML, whose last character may be a ; that is not a part of it."""
        last = len(text.rstrip()) - 1
        if not (self._may_be_silent and text[last] == ";"):
            return yaml_input.decode(text, is_flow=self._is_bracketed), False
        without = f"{text[:last]} {text[last + 1 :]}"
        try:
            tree = yaml_input.decode(text, is_flow=self._is_bracketed, watched=last)
        except yaml_input.YamlProblemError:
            return yaml_input.decode(without, is_flow=self._is_bracketed), True
        if tree.watched_style != "":  # in a block, or a comment
            return tree, False
        return yaml_input.decode(without, is_flow=self._is_bracketed), True

    def _template(self, value: Any, alone: set[int], *, is_silent: bool) -> InputTemplate:
        check_json(value, self._document.name)
        fill = make_filler(value, self._document.holes, alone, self._variables)
        found = [hole.expression.names for hole in self._document.holes if hole.expression]
        names = frozenset(chain.from_iterable(found))
        return InputTemplate(value, fill, is_silent=is_silent, names=names)

    def _raise_problem(self) -> None:
        """Raise what is wrong with a hole: the text around it can't be read because of it."""
        for hole in self._document.holes:
            if hole.problem:
                raise hole.problem


def _read_text(file: Path, name: str) -> str:
    shown = redact(str(file))
    with contextlib.suppress(OSError):  # what is wrong is told below
        if file.exists() and not file.is_file():
            what = "a folder" if file.is_dir() else "not a file"
            raise NangoUsageError(f"The {name} can't be read: {shown} is {what}", "Name a file.")
    try:
        return file.read_bytes().decode()
    except FileNotFoundError:
        raise NangoUsageError(f"There is no file {shown}", _looked_for(file)) from None
    except UnicodeDecodeError as error:
        raise NangoUsageError(
            f"{shown} is not UTF-8 text: byte 0x{error.object[error.start]:02x} at {error.start:,}",
            "Save it as UTF-8.",
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise NangoUsageError(f"{shown} can't be read: {reason}") from None


def _looked_for(file: Path) -> str:
    from nango_jupyter.suggestions import did_you_mean

    names: list[str] = []
    with contextlib.suppress(OSError), os.scandir(file.parent) as entries:
        names = [entry.name for entry in islice(entries, _MOST_FILES)]
    guess = did_you_mean(file.name, names)
    return guess or ("" if file.is_absolute() else f"It was looked for in {Path.cwd()}.")


def _read_lines(text: str, file: Path) -> list[Any]:
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            found.append(json_input.load_json(Document(line, f"{_called(file)}:{number}", [])))
    return found


def _called(file: Path) -> str:
    return f"file {redact(str(file))}"
