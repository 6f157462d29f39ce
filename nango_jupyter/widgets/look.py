"""What forms look like: their style, their texts, and fields with labels that line up."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.resources import files
from typing import Any, TypeVar

from ipywidgets import HTML, Button, HBox, Layout, Widget

from nango_jupyter.secrets import redact

__all__ = [
    "INDENT",
    "LABEL_WIDTH",
    "answering",
    "button",
    "field",
    "help_text",
    "row",
    "style",
    "text_html",
    "title",
]

W = TypeVar("W", bound=Widget)

LABEL_WIDTH = "150px"
# The margin of what stands under a field, in line with it.
INDENT = f"0 0 4px calc({LABEL_WIDTH} + 10px)"
_FIELD_WIDTH = "min(100% - 4px, 620px)"  # with its margins


@cache
def _css() -> str:
    return files("nango_jupyter.widgets").joinpath("form.css").read_text("utf-8")


def style() -> HTML:
    """Return the style of a form, as a part of it that takes no place."""
    found = HTML(f"<style>{_css()}</style>")
    found.add_class("nango-style")
    return found


def text_html(text: str, classes: str, role: str = "") -> str:
    """Return a text as HTML: escaped, with what is known to be secret masked."""
    attributes = f' role="{escape(role)}"' if role else ""
    return f'<div class="{escape(classes)}"{attributes}>{escape(redact(text))}</div>'


def title(text: str) -> HTML:
    """Return the heading of a form or of a part of one."""
    return HTML(text_html(text, "nango-title", "heading"))


def help_text(text: str) -> HTML:
    """Return a sentence that helps, under a field and in line with it."""
    found = HTML(text_html(text, "nango-help"))
    found.layout.margin = INDENT
    return found


def field(kind: type[W], label: str, **options: Any) -> W:
    """Make a field of ipywidgets with its label; labels and fields of a form line up."""
    layout = {"width": _FIELD_WIDTH, **options.pop("layout", {})}
    found = kind(description=label, layout=Layout(**layout), **options)
    found.style.description_width = LABEL_WIDTH
    return answering(found)


def answering(widget: W) -> W:
    """Let a widget be heard while a cell runs, where the front end has another thread for that.

    ipykernel 7.4 hands what a front end says to the thread that last changed the widget: often the
    main one. There it waits for a cell that blocks, and while a cell awaits, it is taken without
    the answer that ipywidgets waits for before it sends what is typed next.
    """
    if hasattr(widget.comm, "_reply_subshell_for"):
        widget.comm._reply_subshell_for = lambda _data, asked: asked
    return widget


def button(text: str, kind: str = "", tooltip: str = "", icon: str = "") -> Button:
    """Make a button; `kind` is one of ipywidgets, such as ``primary``."""
    return answering(Button(description=text, button_style=kind, tooltip=tooltip, icon=icon))


def row(*children: Widget, indent: bool = True) -> HBox:
    """Put widgets beside each other, in line with the fields; they wrap where there is no room."""
    found = HBox(children)
    found.add_class("nango-row")
    if indent:
        found.layout.margin = f"0 0 0 calc({LABEL_WIDTH} + 6px)"
    return found
