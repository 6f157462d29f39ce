"""The card of facts."""

from __future__ import annotations

import pytest

from nango_jupyter.display import render_card
from nango_jupyter.display.state import State
from tests.display.markup import Page


def test_facts_of_all_kinds() -> None:
    found = render_card(
        "Connected",
        "ok",
        [
            ("Server", "embedded"),
            ("Integrations", ["crm", "demo"]),
            ("Actions", {"crm": ["list-contacts"], "demo": ["echo", "whoami"], "new": []}),
            ("Open", 2),
            ("Last", None),
        ],
    )
    read = Page(found["text/html"])
    assert read.text.strip().startswith("✓ Connected")
    assert read.cells == [
        ["Server", "embedded"],
        ["Integrations", "crm, demo"],
        ["Actions", "crm: list-contactsdemo: echo, whoaminew: none"],
        ["Open", "2"],
        ["Last", "null"],
    ]
    assert found["text/plain"] == (
        "✓ Connected\n"
        "  Server        embedded\n"
        "  Integrations  crm, demo\n"
        "  Actions       crm: list-contacts\n"
        "                demo: echo, whoami\n"
        "                new: none\n"
        "  Open          2\n"
        "  Last          null"
    )


@pytest.mark.parametrize(("state", "icon"), [("ok", "✓"), ("bad", "✗"), ("idle", "○")])
def test_state_has_an_icon_and_a_word(state: State, icon: str) -> None:
    found = render_card("Some title", state)
    assert found["text/plain"] == f"{icon} Some title"
    assert f"{icon} Some title" in Page(found["text/html"]).text


def test_nothing_known_yet() -> None:
    found = render_card("Connected", "ok", [("Integrations", []), ("Actions", {})])
    assert [row[0] for row in Page(found["text/html"]).cells] == ["Integrations", "Actions"]
