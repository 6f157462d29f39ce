"""Guessing what was meant."""

import pytest

from nango_jupyter.suggestions import did_you_mean


@pytest.mark.parametrize(
    ("word", "names", "expected"),
    [
        ("list-contact", ["list-contacts", "create-deal"], "Did you mean list-contacts?"),
        ("List_Contacts", ["list-contacts"], "Did you mean list-contacts?"),
        ("7", [7], ""),
        ("xyz", ["list-contacts"], ""),
        ("prd", ["prod", "prd2"], "Did you mean prod or prd2?"),
        ("", [], ""),
    ],
)
def test_did_you_mean(word: str, names: list[object], expected: str) -> None:
    assert did_you_mean(word, names) == expected
