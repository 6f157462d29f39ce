"""Guessing what was meant."""

import difflib

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


def test_of_many_names_those_as_long_as_the_word_are_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_at: list[str] = []
    real = difflib.get_close_matches

    def spy(word: str, names: dict[str, object], n: int, cutoff: float) -> list[str]:
        looked_at.extend(names)
        return real(word, names, n=n, cutoff=cutoff)

    monkeypatch.setattr(difflib, "get_close_matches", spy)
    many = [f"a-rather-long-key-{number}" for number in range(50_000)]
    assert did_you_mean("tpyo", [*many, "typo"]) == "Did you mean typo?"
    assert len(looked_at) == 1_000


def test_very_long_names_are_not_looked_at() -> None:
    assert did_you_mean("y" * 201, ["y" * 200 + "x"]) == ""
    assert did_you_mean("y" * 201, ["y" * 200]) == f"Did you mean {'y' * 200}?"
