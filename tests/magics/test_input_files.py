"""Input from a file: what ``--input FILE`` reads."""

from pathlib import Path
from typing import Any

import pytest

from nango_jupyter import suggestions
from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.magics import template
from nango_jupyter.magics.template import read_file
from nango_jupyter.secrets import remember


def fail(path: Path | str) -> NangoUsageError:
    with pytest.raises(NangoUsageError) as caught:
        read_file(path)
    return caught.value


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.json", '{"a": [1]}', {"a": [1]}),
        ("a.JSON", '\ufeff{"a":\r\n1}\r\n', {"a": 1}),
        ("a.yaml", "a: 1\nb: [yes]\n", {"a": 1, "b": ["yes"]}),
        ("a.yml", '{"a": 1}', {"a": 1}),
        ("a.txt", '{"a": 1}', {"a": 1}),
        ("a", "a: 1", {"a": 1}),
        ("a.jsonl", '{"a": 1}\n\n[2]\r\n"x"', [{"a": 1}, [2], "x"]),
        ("a.ndjson", "", []),
        ("a.json", " \n", None),
        # No expressions, and no ; of IPython's.
        (
            "a.json",
            '{"a": "{{ 1/0 }}", "b": "$x \ufdd0\ufdd0\ufdd0"}',
            {"a": "{{ 1/0 }}", "b": "$x \ufdd0\ufdd0\ufdd0"},
        ),
        ("a.yaml", "a: '{{ 1/0 }}'\nb: c;", {"a": "{{ 1/0 }}", "b": "c;"}),
        ("a.jsonl", '{"a": "{{ x }}"}', [{"a": "{{ x }}"}]),
    ],
)
def test_files(tmp_path: Path, name: str, content: str, expected: Any) -> None:
    file = tmp_path / name
    file.write_text(content, encoding="utf-8", newline="")
    assert read_file(file) == expected
    assert read_file(str(file)) == expected


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.json",
            b"{'a': 1}",
            "a.json is not JSON: Expecting property name enclosed in double quotes, line 1",
        ),
        ("a.json", b"a: 1", "a.json is not JSON: Expecting value, line 1, column 1\n"),
        ("a.json", b"{a: 1}", "a.json is not JSON"),
        ("a.json", b'{"a": 1, "a": 2}', 'The key "a" stands twice, line 1, column 10'),
        ("a.json", b'{"a": 1};', "Extra data, line 1, column 9"),
        (
            "a.yaml",
            b"a: 1\nb: c: d",
            "a.yaml is not YAML: mapping values are not allowed here, line 2, column 5\n",
        ),
        ("a.yaml", b"a: {{ x }}", "a.yaml is not YAML"),
        (
            "a.jsonl",
            b'{"a": 1}\n{"a" 2}',
            "a.jsonl:2 is not JSON: Expecting ':' delimiter, line 1, column 6",
        ),
        ("a.json", b"\xff\xfe{", "a.json is not UTF-8 text: byte 0xff at 0"),
        ("a.csv", b"a,b\n\xe9,1", "a.csv is not UTF-8 text: byte 0xe9 at 4"),
    ],
)
def test_broken_files(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    assert message in fail(file).message


def test_places_that_are_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "contacts.json").write_text("[]")
    monkeypatch.chdir(tmp_path)
    error = fail("contact.json")
    assert error.message == "There is no file contact.json"
    assert "contacts.json" in error.hint
    assert str(tmp_path) in fail("other").hint
    assert fail(tmp_path).message == f"The input can't be read: {tmp_path} is a folder"
    assert "There is no file" in fail("~nobody/contacts.json").message
    assert "There is no file" in fail("nowhere/contacts.json").message
    assert "can't be read" in fail("contacts.json/x").message
    assert "can't be read" in fail("a\0b").message
    assert "not a file" in fail("/dev/null").message
    assert "can't be read" in fail("x" * 5000).message


def test_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.json").write_text("[1]")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read_file("~/a.json") == [1]


def test_secrets_are_masked(tmp_path: Path) -> None:
    remember("secret-in-a-file")
    file = tmp_path / "a.json"
    file.write_text('{"token": secret-in-a-file}')
    assert "secret-in-a-file" not in str(fail(file))
    assert "secret-in-a-file" not in str(fail(tmp_path / "secret-in-a-file"))


def test_of_a_folder_with_very_many_files_a_part_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        (tmp_path / f"contacts-{number}.json").touch()
    monkeypatch.setattr(suggestions, "did_you_mean", lambda _, names: f"Among {len(names)}?")
    assert fail(tmp_path / "contacts.json").hint == "Among 5?"
    monkeypatch.setattr(template, "_MOST_FILES", 3)
    assert fail(tmp_path / "contacts.json").hint == "Among 3?"


def test_a_folder_that_nobody_may_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError

    monkeypatch.setattr("os.scandir", refuse)
    assert "There is no file" in fail(tmp_path / "contacts.json").message
