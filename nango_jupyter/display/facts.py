"""The card of facts: labels and values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from nango_jupyter.display.html import render
from nango_jupyter.display.limits import LIMITS, Limits
from nango_jupyter.display.nodes import Node, build
from nango_jupyter.display.plain import value_text
from nango_jupyter.display.state import ICONS, State
from nango_jupyter.display.values import is_secret, key_text
from nango_jupyter.secrets import MASK

__all__ = ["render_card"]


def render_card(
    title: str,
    state: State,
    facts: Sequence[tuple[str, object]] = (),
    limits: Limits = LIMITS,
) -> dict[str, str]:
    """Draw a card of facts.

    Parameters
    ----------
    title : str
        What is the case, in a word or two: the state is never told by colour alone.
    state : {"ok", "bad", "idle"}
    facts : sequence of (label, value)
        A value is a str, a list of str, a dict of name to list of str, or any JSON value. What
        stands under a label or name that names a secret, such as "Token", is masked.
    limits : Limits, optional
        How much of it to draw.

    Returns
    -------
    dict of str to str
        A MIME bundle: ``text/html`` and ``text/plain``.
    """
    title = key_text(title, limits.string_chars)
    drawn = [_fact(label, value, limits) for label, value in islice(facts, limits.children)]
    html = render("facts", state=state, icon=ICONS[state], title=title, about=(), facts=drawn)
    return {"text/html": html, "text/plain": _text(f"{ICONS[state]} {title}", drawn)}


@dataclass(frozen=True, slots=True)
class _Group:
    """Words on one line, such as the actions of an integration."""

    name: str
    text: str

    @property
    def line(self) -> str:
        return f"{self.name}: {self.text}" if self.name else self.text


@dataclass(frozen=True, slots=True)
class _Fact:
    """A label, and either groups of words or any other value."""

    label: str
    lines: list[str]
    groups: list[_Group]
    node: Node | None = None


def _fact(label: str, value: Any, limits: Limits) -> _Fact:
    name = key_text(label, limits.key_chars)
    groups = _groups(label, value, limits)
    if groups:
        return _Fact(name, [group.line for group in groups], groups)
    text = value_text(value, limits, label, is_fact=True)
    return _Fact(name, text.split("\n"), [], build(value, limits, label))


def _groups(label: str, value: Any, limits: Limits) -> list[_Group]:
    """Return the groups of words that a value is; none if it is something else."""
    if _is_words(value, limits) and value:
        return [_group("", label, value, limits)]
    # One with more names than are drawn says so as a tree.
    if not isinstance(value, Mapping) or len(value) > limits.children:
        return []
    if not all(_is_words(words, limits) for words in value.values()):
        return []
    named = ((key_text(name, limits.key_chars), name, words) for name, words in value.items())
    return [_group(shown, name, words, limits) for shown, name, words in named]


def _is_words(value: Any, limits: Limits) -> bool:
    if not isinstance(value, list | tuple):
        return False
    return all(isinstance(word, str) for word in islice(value, limits.children))


def _group(shown: str, name: str, words: Sequence[str], limits: Limits) -> _Group:
    first = list(islice(words, limits.children))
    texts = [MASK if is_secret(name) else key_text(word, limits.key_chars) for word in first]
    cut = f" (showing {len(first):,} of {len(words):,})" if len(first) < len(words) else ""
    return _Group(shown, f"{', '.join(texts) or 'none'}{cut}")


def _text(title: str, facts: Sequence[_Fact]) -> str:
    width = max((len(fact.label) for fact in facts), default=0)
    lines = [title]
    for fact in facts:
        for at, line in enumerate(fact.lines):
            lines.append(f"  {'' if at else fact.label:<{width}}  {line}".rstrip())
    return "\n".join(lines)
