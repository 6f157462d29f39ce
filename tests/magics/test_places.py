"""How a place in a text is shown."""

import pytest

from nango_jupyter.magics.places import show_index, show_place
from nango_jupyter.secrets import remember


@pytest.mark.parametrize(
    ("text", "index", "place", "source", "caret"),
    [
        ("ab", 1, "line 1, column 2", "ab", " ^"),
        ("ab\ncd", 4, "line 2, column 2", "cd", " ^"),
        ("ab\ncd", 2, "line 1, column 3", "ab", "  ^"),
        ("ab\n", 3, "line 2, column 1", "", "^"),
        ("", 0, "line 1, column 1", "", "^"),
        # Blanks as wide as what stands above them.
        ("日本é🎉x", 4, "line 1, column 5", "日本é🎉x", "\u3000\u3000 \u3000^"),
        ("e\u0301x", 2, "line 1, column 3", "e\u0301x", " ^"),
        # Nothing that moves the cursor, or turns the direction of writing.
        ("\ta\x1b[31m\u202eb\u2028c\r", 2, "line 1, column 3", " a\ufffd[31m\ufffdb c", "  ^"),
    ],
)
def test_show_index(text: str, index: int, place: str, source: str, caret: str) -> None:
    assert show_index(text, index) == f"{place}\n    {source}\n    {caret}"


def test_a_long_line_is_shown_around_the_place() -> None:
    place, source, caret = show_place("é" * 5_000 + "x" + "é" * 5_000, 1, 5_001).split("\n")
    assert place == "line 1, column 5001"
    assert source[caret.index("^")] == "x"
    assert len(source) < 100


def test_secrets_are_masked_before_they_are_cut() -> None:
    remember("secret-of-a-place")
    shown = show_place("x" * 60 + "secret-of-a-place" + "y" * 60 + "z", 1, 100)
    assert "secret" not in shown
    assert "place" not in shown
