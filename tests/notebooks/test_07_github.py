"""GitHub's API end to end, on the kept answers; and how the notebook chooses between the two."""

import base64
import importlib.util
import json
import re
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.notebooks.support import NOTEBOOKS, run_notebook

NAME = "07_github.ipynb"
ANSWERS = NOTEBOOKS / "recordings" / "github"


@pytest.fixture
def helper(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """What the notebook imports from beside it."""
    for name in ("GITHUB_RECORDED", "GITHUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    path = NOTEBOOKS / "recorded_github.py"
    spec = importlib.util.spec_from_file_location("recorded_github", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def recorded(helper: ModuleType) -> Iterator[Any]:
    found = helper.GitHub.recorded()
    yield found
    found.close()


def test_from_pages_to_a_plot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_RECORDED", "1")
    monkeypatch.setenv("GITHUB_TOKEN", "ghp-never-to-be-seen")
    executed = run_notebook(NAME, tmp_path)
    text = executed.text
    assert "answers that are kept beside it" in text("github-find")
    assert "are invented" in text("github-find")
    assert text("github-folder-write") == "False"
    assert "list-issues, list-releases, list-repos" in text("github-connect-local")
    assert "register github · user me" in text("github-register")
    assert "of 24 rows" in text("github-repos")
    stars = text("github-frame-stars").split("\n")
    assert re.search(r"garden-planner +Python +1840", stars[1])
    assert re.search(r"Python +8 +3221", text("github-frame-languages"))
    issues = text("github-limits-issues")
    assert "HTTP 429 to GET" in issues
    assert "trying again in 1.0 s (retry 1 of 3)" in issues
    assert issues.strip().endswith("37")
    assert re.search(r"limit is used up until \d\d:\d\d UTC", text("github-limits-refused"))
    assert re.search(r"garden-planner +13 2024", text("github-each-frame"))
    assert text("github-each-frame").count("\n") == 7
    [picture] = executed.pictures("github-plot-draw")
    assert len(base64.b64decode(picture)) > 10_000
    assert '{"Python": 89.7, "HTML": 8.3, "CSS": 2.0}' in executed.solutions[1]
    assert "closed after 6 days, 14 of 28 still open" in executed.solutions[2]
    assert executed.solutions[4].strip() == "1 request"
    assert "Warning" not in executed.everything
    assert "ghp-never" not in executed.everything


def test_a_github_that_does_not_answer_is_not_waited_for(
    helper: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(helper, "API", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setattr(helper, "SECONDS", 0.3)
        begun = time.monotonic()
        found = helper.find_github()
        assert time.monotonic() - begun < 2
    found.close()
    assert found.is_recorded
    assert "answers that are kept" in capsys.readouterr().out


def test_without_internet_it_says_so(
    helper: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(helper, "API", "http://127.0.0.1:1")
    found = helper.find_github()
    found.close()
    assert found.is_recorded
    assert "GitHub is out of reach: there is no internet here." in capsys.readouterr().out


@pytest.mark.parametrize("token", ["", "ghp-a-token"])
def test_a_github_that_answers_is_used(
    helper: ModuleType,
    recorded: Any,
    token: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(helper, "API", recorded.url)
    monkeypatch.setenv("GITHUB_TOKEN", token)
    found = helper.find_github()
    assert not found.is_recorded
    assert found.has_token == bool(token)
    shown = capsys.readouterr().out
    assert "60 requests are left" in shown
    assert "ghp-" not in shown


def test_a_used_up_limit_is_noticed_before(
    helper: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(helper, "_remaining", lambda _: ("", 3))
    helper.find_github().close()
    assert "Only 3 requests to GitHub are left" in capsys.readouterr().out


def test_answers_have_the_headers_of_githubs(recorded: Any) -> None:
    with urllib.request.urlopen(f"{recorded.url}/orgs/fernwood-tools/repos?per_page=10") as first:
        assert first.headers["X-RateLimit-Remaining"] == "59"
        links = first.headers["Link"]
        assert len(json.load(first)) == 10
    following = re.search(r"<([^>]+)>; rel=\"next\"", links)
    assert following
    with urllib.request.urlopen(following[1]) as second:
        assert second.headers["X-RateLimit-Remaining"] == "58"
        assert 'rel="prev"' in second.headers["Link"]


def test_what_is_not_kept_is_not_found(recorded: Any) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{recorded.url}/users/somebody")
    with caught.value as answer:
        assert answer.code == 404
        assert json.load(answer)["message"] == "Not Found: no answer is kept for /users/somebody"


@pytest.mark.parametrize("path", sorted(ANSWERS.glob("*.json")), ids=lambda path: path.name)
def test_kept_answers_say_that_they_are_made_up(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert json.loads(text)["note"].startswith("Made up")
    hosts = set(re.findall(r"https?://([^/\"]+)", text))
    assert hosts <= {"github.example", "docs.github.com"}
