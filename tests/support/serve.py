"""``nango-jupyter serve`` as a process, ready when it says so."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Self

READY_SECONDS = 30


class Serve:
    """One server process behind a broker.

    Parameters
    ----------
    url
        The broker's.
    folder
        The integrations folder; the samples without one.
    options
        More words for the command line.
    """

    def __init__(self, url: str, folder: Path | None = None, options: Sequence[str] = ()) -> None:
        command = [sys.executable, "-m", "nango_jupyter", "serve"]
        self._command = [*command, *([str(folder)] if folder else []), *options]
        self._environment = {**os.environ, "NANGO_URL": url}
        self._ready = threading.Event()
        self._log: list[str] = []

    @property
    def log(self) -> str:
        """What the process has logged so far."""
        return "".join(self._log)

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._ready.wait(READY_SECONDS):
            self.process.kill()
            raise RuntimeError(f"the server was not ready in {READY_SECONDS} s:\n{self.log}")
        return self

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, wait for the end, and return the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(READY_SECONDS)
        self._reader.join()
        if self.process.stderr:
            self.process.stderr.close()
        return code

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop(signal.SIGKILL)

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._log.append(line)
            if " ready: " in line:
                self._ready.set()
        self._ready.set()  # it ended: `__enter__` need not wait; its log says why
