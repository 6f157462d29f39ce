"""A real IPython kernel in a process of its own, as a front end sees it."""

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import Any, Self

from jupyter_client.manager import KernelManager

START_SECONDS = 60


@dataclass
class Reply:
    """What a cell did."""

    status: str = ""
    error: str = ""
    traceback: str = ""
    text: str = ""
    stderr: str = ""
    data: list[dict[str, Any]] = field(default_factory=list)

    @property
    def html(self) -> str:
        return "\n".join(bundle.get("text/html", "") for bundle in self.data)

    @property
    def plain(self) -> str:
        return "\n".join(bundle.get("text/plain", "") for bundle in self.data)

    @property
    def all_text(self) -> str:
        return "\n".join([self.text, self.stderr, self.html, self.plain, self.traceback])


class Kernel:
    """One kernel.

    Parameters
    ----------
    home
        A temporary folder: nothing of the user's configuration is read or written.
    environment
        More variables for the kernel.
    """

    def __init__(self, home: Path, environment: dict[str, str] | None = None) -> None:
        names = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
        folders = {name: str(home / name.lower()) for name in names}
        self._environment = {**os.environ, **folders, **(environment or {})}
        self.manager = KernelManager(kernel_name="python3")

    def __enter__(self) -> Self:
        self.manager.start_kernel(env=self._environment)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=START_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def send(self, code: str) -> str:
        """Queue a cell, and return the id that `wait` takes."""
        return str(self.client.execute(code, allow_stdin=False, stop_on_error=False))

    def wait(self, message_id: str, timeout: float = 60) -> Reply:
        """Collect what a cell did; other cells' messages are kept for their own `wait`."""
        reply = Reply()
        deadline = time.monotonic() + timeout
        while True:
            try:
                message = self.client.get_iopub_msg(timeout=max(deadline - time.monotonic(), 0.01))
            except Empty:
                raise TimeoutError(f"the cell did not end within {timeout} s: {reply}") from None
            if message["parent_header"].get("msg_id") != message_id:
                continue
            kind, content = message["header"]["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return reply
            self._note(reply, kind, content)

    def run(self, code: str, timeout: float = 60) -> Reply:
        """Run a cell and return what it did."""
        return self.wait(self.send(code), timeout)

    def ok(self, code: str, timeout: float = 60) -> Reply:
        """Run a cell that must not fail."""
        reply = self.run(code, timeout)
        assert not reply.error, reply.traceback
        return reply

    @staticmethod
    def _note(reply: Reply, kind: str, content: dict[str, Any]) -> None:
        if kind == "stream":
            if content["name"] == "stderr":
                reply.stderr += content["text"]
            else:
                reply.text += content["text"]
        elif kind in ("execute_result", "display_data"):
            reply.data.append(content["data"])
        elif kind == "error":
            reply.error = content["ename"]
            reply.traceback = "\n".join(content["traceback"])
