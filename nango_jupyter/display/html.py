"""The templates: the only place where HTML is made."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from nango_jupyter.display.values import Leaf

__all__ = ["render"]


def render(template: str, **values: Any) -> str:
    """Fill a template; everything that it is given is escaped."""
    return _environment().get_template(f"{template}.html.j2").render(**values).strip()


@cache
def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader("nango_jupyter.display"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    # Not user data, but a file of ours: the only text that passes unescaped.
    found.globals["css"] = Markup(_css())  # noqa: S704
    found.tests["leaf"] = _is_leaf
    found.filters["fill"] = _fill
    return found


def _css() -> str:
    """Return the style without the white space and comments that people need."""
    text = files("nango_jupyter.display").joinpath("card.css").read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"\s+", " ", text)
    # A space before a colon means something (`.a :is(b)`), one after it doesn't.
    return re.sub(r" ?([{};,>]) ?|(:) ", r"\1\2", text).replace(";}", "}").strip()


def _is_leaf(node: object) -> bool:
    return isinstance(node, Leaf)


def _fill(texts: Sequence[str], head: object, pattern: Markup) -> Markup:
    """Put a row's head and its texts, which are escaped here, in the places of a pattern.

    One call escapes all of them: a NUL stands between the texts, for none is ever drawn.
    """
    # Of Markup, each part would be Markup again.
    escaped = str.split(escape(f"{head}\0" + "\0".join(texts)), "\0")
    return Markup(str.__mod__(pattern, tuple(escaped)))  # noqa: S704
