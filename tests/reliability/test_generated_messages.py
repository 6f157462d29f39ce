"""100,000 generated messages through a real broker: not one death, hang or missing answer.

How many of them are sent is in NANGO_MESSAGES; ``make reliability`` sends them all. The messages
are the same each time.
"""

import os
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aio_pika
import pytest

from tests.reliability.bodies import VALID, to_bytes
from tests.reliability.letters import letters
from tests.reliability.post import Post
from tests.server.support import write_action, write_file, write_folder
from tests.support.serve import Serve

MESSAGES = int(os.environ.get("NANGO_MESSAGES", "1000"))
OUTCOMES = ("success", "failure", "no address")
# Between the lowest of the first batches and of the last: what a batch leaves for good is many
# times that after a hundred of them. Bodies of 10 MB that just went by leave some of Python's own
# arenas half empty, and are in each batch.
MOST_GROWTH_MB = 60
# With one limit for all time, glibc gives back at once what was freed. By itself it raises the
# limit with each body, up to keeping tens of megabytes for each thread that has handled one: as
# much as a leak would be, and other in each run.
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}

TYPED = """
    from nango_jupyter import action


    @action
    async def typed(ctx, name: str, age: int = 0) -> dict:
        return {"name": name, "age": age}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the actions that the generated messages name."""
    folder = write_folder(tmp_path / "folder")
    write_action(folder, "demo/echo", "return input")
    write_action(folder, "demo/fail", 'raise ValueError(f"no: {input}")')
    write_action(folder, "demo/odd", "return {1: {input.__class__}, 'self': self}")
    write_file(folder, "demo/typed", TYPED)
    return folder


@pytest.fixture
def serve(rabbit_vhost: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """A server of that folder, whose memory is what it holds."""
    for name, value in ALLOCATOR.items():
        monkeypatch.setenv(name, value)
    with Serve(rabbit_vhost, folder) as process:
        yield process


@pytest.fixture
async def post(rabbit_vhost: str, serve: Serve) -> AsyncIterator[Post]:
    """Who sends to it."""
    async with await aio_pika.connect(rabbit_vhost) as connection:
        yield await Post.open(connection)


class Report:
    """What was sent and what came of it."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._outcomes: Counter[tuple[str, str]] = Counter()
        self._started = time.monotonic()
        self.megabytes: list[int] = []

    def add(self, outcomes: Counter[tuple[str, str]]) -> None:
        """Count a batch, and measure the server's memory after it."""
        self._outcomes += outcomes
        status = Path(f"/proc/{self._pid}/status").read_text()
        found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
        assert found
        self.megabytes.append(int(found[1]) // 1024)

    @property
    def sent(self) -> int:
        return self._outcomes.total()

    @property
    def growth(self) -> int:
        """By how much the last quarter's lowest memory is above the first quarter's, in MB."""
        quarter = (len(self.megabytes) + 3) // 4
        return min(self.megabytes[-quarter:]) - min(self.megabytes[:quarter])

    def __str__(self) -> str:
        rows = {
            sort: [self._outcomes[sort, name] for name in OUTCOMES]
            for sort in sorted({sort for sort, _ in self._outcomes})
        }
        rows["all"] = [sum(column) for column in zip(*rows.values(), strict=True)]
        return "\n".join(
            [
                f"{'':28}{'sent':>9}" + "".join(f"{name:>12}" for name in OUTCOMES),
                *(_row(sort, counts) for sort, counts in rows.items()),
                f"None is unanswered, in {time.monotonic() - self._started:.0f} s.",
                f"The server's memory: {self.megabytes[0]} MB after the first batch, "
                f"{max(self.megabytes)} MB at most, {self.megabytes[-1]} MB at the end.",
            ]
        )


def _row(name: str, counts: list[int]) -> str:
    return f"{name:28}{sum(counts):9}" + "".join(f"{count:12}" for count in counts)


@pytest.mark.timeout(3600)
async def test_each_message_is_answered_and_none_kills(serve: Serve, post: Post) -> None:
    register, echo, *_ = VALID
    await post.ask(to_bytes(register))
    report = Report(serve.process.pid)
    for batch in letters(MESSAGES):
        report.add(await post.send(batch))
        assert serve.process.poll() is None, serve.log[-5000:]
    print(f"\n{report}")
    assert report.sent == MESSAGES
    assert (await post.ask(to_bytes(echo))).return_value == echo["input"]
    assert not post.unexpected
    assert serve.log.count(" ready: ") == 1
    assert report.growth < MOST_GROWTH_MB
