"""Writes the reference of magics, command line and settings from the code itself.

Three directives without content: ``nango-magics``, ``nango-commands`` and ``nango-settings``.
"""

from __future__ import annotations

import argparse
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator

import click
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

__all__ = ["commands_text", "magics_text", "settings_text", "setup"]

_ESCAPES = {"line": "%", "cell": "%%"}
_MARKUP = re.compile(r"([\\`*_<>\[\]{}#])")


class _Written(SphinxDirective):
    """A directive that stands for a text in Markdown."""

    text: Callable[[], str]

    def run(self) -> list[nodes.Node]:
        return self.parse_text_to_nodes(type(self).text(), allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directives: called by Sphinx."""
    for name, text in (
        ("magics", magics_text),
        ("commands", commands_text),
        ("settings", settings_text),
    ):
        attributes = {"text": staticmethod(text)}
        app.add_directive(f"nango-{name}", type(f"Nango{name.title()}", (_Written,), attributes))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def magics_text() -> str:
    """Return a section for each magic."""
    return "\n\n".join(part for magic in _magics() for part in _describe(*magic))


def _magics() -> Iterator[tuple[list[str], argparse.ArgumentParser]]:
    from nango_jupyter import magics

    for one in magics._CLASSES:
        kinds_of: dict[str, list[str]] = {}
        for kind in ("line", "cell"):
            for name, method in one.magics[kind].items():
                kinds_of.setdefault(method, []).append(f"{_ESCAPES[kind]}{name}")
        for method, names in kinds_of.items():
            yield names, getattr(one, method).parser


def _describe(names: list[str], parser: argparse.ArgumentParser) -> Iterator[str]:
    from nango_jupyter.magics import help as magic_help

    about, _, examples = inspect.cleandoc(parser.description or "").partition("Examples::")
    arguments = [one for one in parser._actions if not one.option_strings]
    options = [one for one in parser._actions if one.option_strings]
    kinds = {escape: kind for kind, escape in _ESCAPES.items()}
    usage = [
        magic_help._usage(
            kinds[name[: name.rindex("%") + 1]], name.lstrip("%"), arguments, bool(options)
        )
        for name in names
    ]
    yield f"(magic-{names[0].lstrip('%')})="
    yield f"## {', '.join(f'`{name}`' for name in names)}"
    yield _plain(about.strip())
    yield _block("text", "\n".join(usage))
    for title, found in (("Argument", arguments), ("Option", options)):
        if found:
            yield _table(
                (title, "What it says"),
                ((f"`{magic_help._name(one)}`", _plain(magic_help._about(one))) for one in found),
            )
    if examples := textwrap.dedent(examples).strip():
        # Where a cell magic is shown, it begins a cell.
        for cell in re.split(r"\n\n(?=%)", examples):
            yield _block("python", cell)


def commands_text() -> str:
    """Return what ``nango-jupyter --help`` says, and the same for each of its commands."""
    from nango_jupyter.server.cli import main

    top = main.make_context("nango-jupyter", ["--"], resilient_parsing=True)
    sections = [_command("nango-jupyter", main, top)]
    for name in main.list_commands(top):
        one = main.commands[name]
        inner = one.make_context(name, ["--"], parent=top, resilient_parsing=True)
        sections.append(_command(f"nango-jupyter {name}", one, inner))
    return "\n\n".join(sections)


def _command(title: str, command: click.Command, context: click.Context) -> str:
    context.max_content_width = 88
    label = f"(command-{title.rpartition(' ')[2]})="
    return f"{label}\n## `{title}`\n\n{_block('text', command.get_help(context))}"


def settings_text() -> str:
    """Return a table of the settings, and where each of them can stand."""
    from nango_jupyter.magics.magics import NangoMagics
    from nango_jupyter.preferences import preferences, sources

    traits = NangoMagics.class_traits(config=True)
    keys = list(dict.fromkeys([*traits, *sources.CONNECTION_KEYS, *sources.COUNTS]))
    rows = []
    for key in keys:
        variable = f"NANGO_{key.upper()}" if key in preferences._VARIABLES else ""
        about = str(traits[key].help).partition(" None: ")[0] if key in traits else _SETTINGS[key]
        rows.append(
            (
                _code(key),
                _code(variable),
                "yes" if key in traits else "",
                "yes" if key in sources.CONNECTION_KEYS else "",
                _plain(about),
            )
        )
    return _table(("setting", "variable", "`%config`", "connection", "what it says"), rows)


# Those that only pyproject.toml has.
_SETTINGS = {
    "password-env": "Name of the environment variable with the broker's password.",
    "local": "true for the embedded server on the samples, or its integrations folder.",
}


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines
    )


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _block(language: str, text: str) -> str:
    return f"````{language}\n{text}\n````"


def _plain(text: str) -> str:
    return _MARKUP.sub(r"\\\1", text)
