"""kill -9 in the middle of 1,000 triggers, with two servers on one queue and one folder.

The action writes its number down before all else, so the file is a true record of what ran.
"""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from nango_jupyter import Nango, NangoError, NangoServerError
from tests.server.support import write_file, write_folder
from tests.support.serve import Serve

TRIGGERS = 1000
IN_FLIGHT = 100
KILLED_AFTER = 300
# A trigger's time limit, in seconds: all of them take a second or two.
LIMIT = 30
SUCCESS = "succeeded"

ACTION = """
    import asyncio
    import os

    from nango_jupyter import NangoAction


    class WriteDown(NangoAction):
        idempotent = {idempotent}

        async def execute_action(self, input):
            file = os.open(input["file"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(file, b"%d\\n" % input["number"])
            finally:
                os.close(file)
            await asyncio.sleep(0.05)
            return input["number"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the action in both kinds."""
    folder = write_folder(tmp_path / "folder")
    write_file(folder, "demo/once", ACTION.format(idempotent=False))
    write_file(folder, "demo/again", ACTION.format(idempotent=True))
    return folder


@pytest.fixture
def servers(rabbit_vhost: str, folder: Path) -> Iterator[tuple[Serve, Serve]]:
    """Two server processes on one queue."""
    with Serve(rabbit_vhost, folder) as victim, Serve(rabbit_vhost, folder) as other:
        yield victim, other


@dataclass
class Triggers:
    """A thousand triggers of one action, and the death of a server among them."""

    nango: Nango
    victim: Serve
    action: str
    record: Path
    outcomes: dict[int, str] = field(default_factory=dict)
    longest: float = 0.0

    async def fire(self) -> None:
        """Trigger all, IN_FLIGHT at once."""
        slots = asyncio.Semaphore(IN_FLIGHT)
        await asyncio.gather(*(self._one(number, slots) for number in range(TRIGGERS)))

    async def _one(self, number: int, slots: asyncio.Semaphore) -> None:
        async with slots:
            started = time.monotonic()
            self.outcomes[number] = await self._trigger(number)
            self.longest = max(self.longest, time.monotonic() - started)
            if len(self.outcomes) == KILLED_AFTER:
                self.victim.process.kill()

    async def _trigger(self, number: int) -> str:
        given = {"number": number, "file": str(self.record)}
        try:
            result = await self.nango.trigger_action(
                "demo", self.action, "u1", given, timeout=LIMIT
            )
        except NangoServerError as error:
            return "delivered a second time" if "second time" in error.message else error.message
        except NangoError as error:
            return f"{type(error).__name__}: {error.message}"
        assert result.return_value == number
        return SUCCESS

    @property
    def runs(self) -> Counter[int]:
        """How often each number stands in the file."""
        return Counter(map(int, self.record.read_text().split()))

    def __str__(self) -> str:
        ended = Counter(self.outcomes.values())
        runs = Counter(self.runs[number] for number in self.outcomes)
        return (
            f"kill -9 after {KILLED_AFTER} of {TRIGGERS} triggers of the action {self.action!r}: "
            + ", ".join(f"{count} {outcome}" for outcome, count in ended.most_common())
            + "; "
            + ", ".join(f"{runs[times]} ran {times} times" for times in sorted(runs))
            + f"; the longest took {self.longest:.2f} s"
        )


async def fire(servers: tuple[Serve, Serve], url: str, action: str, folder: Path) -> Triggers:
    """Trigger an action a thousand times; check what holds for any action."""
    victim, other = servers
    async with Nango(url, timeout=LIMIT) as nango:
        await nango.register_connection("demo", "u1", "token-of-u1")
        triggers = Triggers(nango, victim, action, folder / "record.txt")
        await triggers.fire()
        print(f"\n{triggers}")
        assert await nango.server_count() == 1
    assert victim.stop(signal.SIGKILL) == -signal.SIGKILL  # it is dead; this tidies up
    assert other.process.poll() is None
    assert len(triggers.outcomes) == TRIGGERS
    assert triggers.longest < LIMIT
    return triggers


async def test_nothing_runs_twice_or_is_lost_in_silence(
    servers: tuple[Serve, Serve], rabbit_vhost: str, folder: Path
) -> None:
    triggers = await fire(servers, rabbit_vhost, "once", folder)
    assert max(triggers.runs.values()) == 1
    succeeded = {number for number, ended in triggers.outcomes.items() if ended == SUCCESS}
    assert succeeded <= triggers.runs.keys()
    assert set(triggers.outcomes.values()) == {SUCCESS, "delivered a second time"}


async def test_what_is_idempotent_is_run_again(
    servers: tuple[Serve, Serve], rabbit_vhost: str, folder: Path
) -> None:
    triggers = await fire(servers, rabbit_vhost, "again", folder)
    assert triggers.runs.keys() == set(range(TRIGGERS))
    assert set(triggers.outcomes.values()) == {SUCCESS}
