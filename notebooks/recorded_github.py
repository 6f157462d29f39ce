"""Finds GitHub's API for 07_github.ipynb, or serves kept answers in its place, on this machine.

The answers are in ``recordings/github``; its README says where they come from.
"""

from __future__ import annotations

import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

__all__ = ["GitHub", "find_github"]

API = "https://api.github.com"
ANSWERS = Path(__file__).parent / "recordings" / "github"
SECONDS = 2.0
LIMIT = 60
ENOUGH = 20  # requests, for the notebook once


class GitHub:
    """Where the API is, and what to ask it for.

    Attributes
    ----------
    url, org : str
        The API's address, and an organisation.
    repo, refused : str
        A repository with issues, and one whose issues can't be had.
    per_page : int
        How many items a page has.
    is_recorded : bool
        Whether the answers are the kept ones.
    has_token : bool
        Whether requests carry the token in GITHUB_TOKEN.
    """

    def __init__(self, token: str = "") -> None:
        self.url, self.org, self.per_page = API, "jupyter", 100
        self.repo, self.refused = "nbformat", "no-such-repository"
        self.is_recorded = False
        self.has_token = bool(token)
        self._server: ThreadingHTTPServer | None = None

    @classmethod
    def recorded(cls) -> GitHub:
        """Serve the kept answers."""
        found = cls()
        found.org, found.per_page, found.is_recorded = "fernwood-tools", 10, True
        found.repo, found.refused = "garden-planner", "soil-sensor"
        server = _AnswerServer(("127.0.0.1", 0), _Handler)
        threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()
        found._server = server
        found.url = server.url
        return found

    def close(self) -> None:
        """Stop serving."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


def find_github() -> GitHub:
    """Ask GitHub, for two seconds at most, and print what came of it.

    With GITHUB_RECORDED in the environment it is not asked.
    """
    token = os.environ.get("GITHUB_TOKEN", "").strip()
    if os.environ.get("GITHUB_RECORDED"):
        problem = "GITHUB_RECORDED is set, so GitHub is not asked."
    else:
        problem, left = _ask(token)
        if not problem:
            how = "with the token in GITHUB_TOKEN" if token else "without a token"
            print(f"GitHub answers, {how}: {left} requests are left in this hour.")
            return GitHub(token)
    print(
        f"{problem}\n"
        "The notebook goes on with answers that are kept beside it. They were written for it, in\n"
        "the shape of GitHub's: the organisation fernwood-tools and its numbers are invented."
    )
    return GitHub.recorded()


def _ask(token: str) -> tuple[str, int]:
    """Return why GitHub can't be used, and how many requests are left."""
    found: list[tuple[str, int]] = []
    # In a thread: looking up the name has no time limit of its own.
    asking = threading.Thread(target=lambda: found.append(_remaining(token)), daemon=True)
    asking.start()
    asking.join(SECONDS)
    problem, left = found[0] if found else (f"GitHub did not answer within {SECONDS:g} s.", 0)
    if not problem and left < ENOUGH:
        problem = (
            f"Only {left} requests to GitHub are left in this hour. A GITHUB_TOKEN allows more."
        )
    return problem, left


def _remaining(token: str) -> tuple[str, int]:
    headers = {"Accept": "application/vnd.github+json", "User-Agent": "nango-jupyter"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(f"{API}/rate_limit", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as response:
            return "", int(json.load(response)["resources"]["core"]["remaining"])
    except urllib.error.HTTPError as error:
        refused = " Is GITHUB_TOKEN right?" if error.code == 401 else ""
        return f"GitHub answered with {error.code}.{refused}", 0
    except (OSError, ValueError, LookupError):
        return "GitHub is out of reach: there is no internet here.", 0


class _AnswerServer(ThreadingHTTPServer):
    """Knows the answers, and counts requests as GitHub does."""

    daemon_threads = True

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self._answers = list(_read_answers())
        self._given: set[int] = set()
        self._lock = threading.Lock()
        self._used = 0
        self._reset = int(time.time()) + 3600

    def answer(self, target: str) -> tuple[int, dict[str, str], Any]:
        """Return status, headers and body for a request."""
        path = urlsplit(target).path
        with self._lock:
            self._used += path != "/rate_limit"
            number = self._find(target)
        headers = {
            "X-RateLimit-Limit": str(LIMIT),
            "X-RateLimit-Remaining": str(max(LIMIT - self._used, 0)),
            "X-RateLimit-Reset": str(self._reset),
        }
        if number is None:
            return 404, headers, {"message": f"Not Found: no answer is kept for {path}"}
        found = self._answers[number]
        said = {name: value.replace("{base}", self.url) for name, value in found["headers"].items()}
        return found["status"], headers | said, found["body"]

    def _find(self, target: str) -> int | None:
        wanted = _key(target)
        for number, answer in enumerate(self._answers):
            if _key(answer["request"]) == wanted and number not in self._given:
                if answer.get("once"):
                    self._given.add(number)
                return number
        return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        assert isinstance(self.server, _AnswerServer)
        status, headers, body = self.server.answer(self.path)
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Write nothing below the notebook's cells."""


def _read_answers() -> Iterator[Mapping[str, Any]]:
    for path in sorted(ANSWERS.glob("*.json")):
        yield from json.loads(path.read_text(encoding="utf-8"))["answers"]


def _key(target: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return what tells one request from another: how long pages are was settled before."""
    parts = urlsplit(target)
    query = {"page": "1", **dict(parse_qsl(parts.query))}
    query.pop("per_page", None)
    return parts.path, tuple(sorted(query.items()))
