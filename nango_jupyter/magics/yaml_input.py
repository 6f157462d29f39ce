"""Reads the YAML that a person typed: YAML 1.2's core schema, into what JSON can hold.

PyYAML's own loaders follow YAML 1.1, where ``no`` is false and 12:30 a number, and they build
dates. So only its parser is used, and what it finds becomes values here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nango_jupyter.magics.marks import MARK, mark_number

if TYPE_CHECKING:
    from yaml import Event

__all__ = ["YamlProblemError", "YamlTree", "decode"]

_WORDS: dict[str, bool | None] = dict.fromkeys(("", "~", "null", "Null", "NULL"))
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True)
_WORDS |= dict.fromkeys(("false", "False", "FALSE"), False)
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_FOREIGN = frozenset({"None", "NaN", "Infinity", "-Infinity", "undefined"})
_TAG = "tag:yaml.org,2002:"
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_NO_BLANK = re.compile(r"[^\W\d][\w-]*:(?!//)\S.*", re.DOTALL)
_LONGEST_NAME = 60
_MOST_NODES = 1_000_000
# YAML 1.1 takes these for line breaks, and the last for no character; 1.2 has them in texts.
_HIDDEN = {0x85: 0xFDEC, 0x2028: 0xFDED, 0x2029: 0xFDEE, 0xFEFF: 0xFDEF}
_SHOWN = {after: before for before, after in _HIDDEN.items()}
_NOT_READ = re.compile("[^\t\n\r -~\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NONCHARACTERS = re.compile(r"'?(?:\\ufd[de][0-9a-f]|[\ufdd0-\ufdef])+'?")
_SLOW_FROM = 20_000  # characters, from where on the parser in C is worth its less clear errors
_ONE_COLUMN = "Keys of one object begin in one column; nothing follows a closing quote."
_HINTS = (
    ("cannot start any token", "Put text that begins with this character in quotes."),
    ("mapping values are not allowed", 'Put text that holds ": " in quotes.'),
    ("could not find expected ':'", 'Each line of an object is "key: value".'),
    ("block end", _ONE_COLUMN),
    ("expected key", _ONE_COLUMN),
    ("unknown escape", "Between double quotes a backslash is \\\\."),
)


class YamlProblemError(Exception):
    """What is wrong with a text, and where.

    Attributes
    ----------
    reason, hint : str
    index : int
    """

    def __init__(self, reason: str, index: int, hint: str = "") -> None:
        super().__init__(reason)
        self.reason, self.index, self.hint = reason, index, hint


@dataclass(slots=True)
class YamlTree:
    """What a text holds.

    Attributes
    ----------
    value : JSON value
    alone : set of int
        The holes that are a value, and not a part of a text.
    watched_style : str or None
        How the text around the watched place is written: "" for plain, a quote, "|" or ">";
        None if there is none.
    """

    value: Any = None
    alone: set[int] = field(default_factory=set)
    watched_style: str | None = None


def decode(text: str, *, is_flow: bool = False, watched: int = -1) -> YamlTree:
    """Return what a YAML text holds.

    Parameters
    ----------
    text : str
    is_flow : bool
        It is an object in braces or a list in brackets, where words of Python and JavaScript
        such as None are refused: JSON may have been meant.
    watched : int
        A place whose style is asked for.

    Raises
    ------
    YamlProblemError
    RecursionError
    """
    import yaml  # when it is needed: most input is JSON

    if found := _NOT_READ.search(text.translate(_HIDDEN)):
        raise YamlProblemError(f"the character U+{ord(found[0]):04X}", found.start(), "Remove it.")
    loader = yaml.SafeLoader
    if len(text) > _SLOW_FROM and not _ESCAPED_SURROGATE.search(text):  # it refuses those
        loader = getattr(yaml, "CSafeLoader", loader)
    try:
        return _Builder(yaml.parse(text.translate(_HIDDEN), loader), is_flow, watched).read()
    except yaml.MarkedYAMLError as error:
        raise _explain(error, text) from None


def _explain(error: Any, text: str) -> YamlProblemError:
    mark = error.problem_mark or error.context_mark
    reason = _NONCHARACTERS.sub("{{ }}", error.problem or error.context or "it can't be read")
    hint = next((hint for words, hint in _HINTS if words in reason), "")
    if "<document start>" in reason:
        reason, hint = "it goes on behind its end", "Put text in quotes, or a list in [ ]."
    index = mark.index if mark else 0
    if text[index : index + 1] == "\t":
        hint = "YAML is indented with blanks, not with tabs."
    return YamlProblemError(reason, index, hint)


class _Builder:
    """Makes values of what the parser finds."""

    def __init__(self, events: Iterator[Event], is_flow: bool, watched: int) -> None:
        self._events = events
        self._is_flow = is_flow
        self._watched = watched
        self._tree = YamlTree()
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._open: set[str] = set()
        self._count = 0

    def read(self) -> YamlTree:
        import yaml

        next(self._events)  # the stream's start
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return self._tree
        event = next(self._events)
        self._tree.value = self._value(event, is_top=True)
        next(self._events)  # the document's end
        if not isinstance(more := next(self._events), yaml.StreamEndEvent):
            raise _problem("there is more than one document", more, "Remove the line ---.")
        return self._tree

    def _value(self, event: Any, *, is_top: bool = False) -> Any:
        import yaml

        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        before = self._count
        self._count += 1
        if event.anchor:
            self._open.add(event.anchor)
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event, is_top=is_top)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self._list(event)
        else:
            value = self._object(event)
        if event.anchor:
            self._open.discard(event.anchor)
            self._anchors[event.anchor] = value, self._count - before
        return value

    def _alias(self, event: Any) -> Any:
        if event.anchor in self._open:
            raise _problem(f"&{event.anchor} contains itself", event, "Break the cycle.")
        if event.anchor not in self._anchors:
            raise _problem(
                f"there is no &{event.anchor}", event, "Put text that begins with * in quotes."
            )
        value, size = self._anchors[event.anchor]
        self._count += size
        if self._count > _MOST_NODES:
            raise _problem(f"with its aliases it has more than {_MOST_NODES:,} values", event)
        return value

    def _list(self, event: Any) -> list[Any]:
        import yaml

        _check_tag(event, "seq")
        found = []
        while not isinstance(item := next(self._events), yaml.SequenceEndEvent):
            found.append(self._value(item))
        return found

    def _object(self, event: Any) -> dict[str, Any]:
        import yaml

        _check_tag(event, "map")
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        while not isinstance(key := next(self._events), yaml.MappingEndEvent):
            name = self._key(key)
            value_event: Any = next(self._events)
            if event.flow_style and _is_nothing(value_event):
                raise _problem(
                    f"there is no value for {_named(name)}",
                    key,
                    "A blank stands behind the colon: a: 1.",
                )
            value = self._value(value_event)
            if name == "<<" and not getattr(key, "style", None):
                merged |= _merged(value, value_event)
            elif name in found:
                raise _problem(f"the key {_named(name)} stands twice", key, "Rename one.")
            else:
                found[name] = value
        return {**merged, **found} if merged else found

    def _key(self, event: Any) -> str:
        import yaml

        if isinstance(event, yaml.ScalarEvent):
            self._watch(event)
            if _is_nothing(event):
                raise _problem("there is no key before the colon", event, 'Quote text: ": …".')
            key: Any = _text(event)
            if event.anchor:
                self._anchors[event.anchor] = key, 1
        else:
            key = self._value(event)
        if not isinstance(key, str):
            hint = "Keys are text. Put an expression that is a value behind a colon."
            raise _problem("a key is a list or an object", event, hint)
        return key

    def _scalar(self, event: Any, *, is_top: bool) -> Any:
        self._watch(event)
        text = _text(event)
        if event.tag and event.tag.startswith(_TAG):
            kind = event.tag.removeprefix(_TAG)
            if kind in {"int", "float", "bool", "null"}:
                return _plain(text, event)
            _check_tag(event, "str")
            return text
        _check_tag(event, "str")
        if event.style or event.tag:
            return text
        if MARK.fullmatch(text):
            self._tree.alone.add(mark_number(text))
            return text
        if is_top and _NO_BLANK.fullmatch(text):
            hint = "A blank stands behind the colon: a: 1. As text, put it in quotes."
            raise _problem("an object was meant, or a text", event, hint)
        if text in _FOREIGN and (self._is_flow or is_top):
            raise _problem(
                f"there is no {text}", event, f'Use null; as text, put it in quotes: "{text}".'
            )
        return _plain(text, event)

    def _watch(self, event: Any) -> None:
        if event.start_mark.index <= self._watched < event.end_mark.index:
            self._tree.watched_style = event.style or ""


def _named(key: str) -> str:
    return repr(key if len(key) <= _LONGEST_NAME else f"{key[:_LONGEST_NAME]}…")


def _text(event: Any) -> str:
    text: str = event.value.translate(_SHOWN)
    if _SURROGATE.search(text):
        # JSON writes an emoji as two escapes, and YAML takes in JSON's strings.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    return text


def _plain(text: str, event: Any) -> Any:
    """Return what a text without quotes is in YAML 1.2's core schema."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        try:
            return int(text, 0 if text[:2] in {"0o", "0x"} else 10)
        except ValueError:
            raise _problem("a number has more digits than Python reads", event) from None
    if _NO_NUMBER.fullmatch(text) or (_FLOAT.fullmatch(text) and math.isinf(float(text))):
        raise _problem(f"JSON has no number {text}", event, "Use null, or put it in quotes.")
    return float(text) if _FLOAT.fullmatch(text) else text


def _merged(value: Any, event: Any) -> dict[str, Any]:
    """Return what ``<<: *base`` brings in; of several bases, the first counts."""
    bases = value if isinstance(value, list) else [value]
    if not all(isinstance(base, dict) for base in bases):
        raise _problem("<< takes in an object, or a list of them", event, 'As text, it is "<<".')
    return {key: item for base in reversed(bases) for key, item in base.items()}


def _is_nothing(event: Any) -> bool:
    """Tell whether nothing was typed at all."""
    is_empty = getattr(event, "value", None) == "" and not event.style
    return is_empty and event.start_mark.index == event.end_mark.index


def _check_tag(event: Any, kind: str) -> None:
    if event.tag and event.tag not in {"!", f"{_TAG}{kind}"}:
        tag = event.tag.replace(_TAG, "!!")
        raise _problem(
            f"the tag {tag} is not read here", event, "Put text that begins with ! in quotes."
        )


def _problem(reason: str, event: Any, hint: str = "") -> YamlProblemError:
    shown = _NONCHARACTERS.sub("{{ }}", reason)
    return YamlProblemError(shown, event.start_mark.index, hint)
