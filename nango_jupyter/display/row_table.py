"""The card of one list: its rows as a table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from nango_jupyter.display.html import render
from nango_jupyter.display.limits import LIMITS, Limits
from nango_jupyter.display.nodes import draw
from nango_jupyter.display.plain import value_text
from nango_jupyter.display.values import is_secret, key_text
from nango_jupyter.secrets import MASK

__all__ = ["render_rows"]

_ICON = "▤"
_TITLE_CHARS = 120
_INDEX = re.compile(r"\[-?\d+\]|\.\d+")


def render_rows(
    rows: Sequence[Any], title: str, about: Sequence[str] = (), limits: Limits = LIMITS
) -> dict[str, str]:
    """Draw a list as a table; plain values make one column.

    Parameters
    ----------
    rows : sequence
    title : str
        What the rows are, such as ``contacts``; "" for no name.
    about : sequence of str
        What stands beside the title.
    limits : Limits, optional
        How much of it to draw.

    Returns
    -------
    dict of str to str
        A MIME bundle: ``text/html`` and ``text/plain``.
    """
    title = key_text(title, _TITLE_CHARS) if title else "rows"
    beside = [key_text(text, _TITLE_CHARS) for text in about]
    if not all(isinstance(row, Mapping) for row in rows):
        # The name of the list may say that it is one of tokens.
        hidden = is_secret(_INDEX.sub("", title))
        rows = [{"value": MASK if hidden else row} for row in rows]
    drawing = draw(rows, limits)
    html = render("rows", state="idle", icon=_ICON, title=title, about=beside, drawing=drawing)
    head = " · ".join([f"{_ICON} {title}", *beside])
    return {"text/html": html, "text/plain": f"{head}\n{value_text(rows, limits)}"}
