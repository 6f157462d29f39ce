"""Watches how much memory everything that runs takes together."""

from __future__ import annotations

import threading
from typing import Self

from binder_sandbox import Process, descendants

LIMIT = 2048
"""What mybinder.org gives to one visitor, in megabytes."""

_LOOK_SECONDS = 1.0
_ROLES = {
    "beam.smp": "RabbitMQ",
    "epmd": "RabbitMQ",
    "erl_child_setup": "RabbitMQ",
    "inet_gethost": "RabbitMQ",
    "nango_jupyter serve": "Nango servers",
    "ipykernel": "kernels",
    "jupyter-lab": "JupyterLab",
    "jupyter-execute": "jupyter execute (not on Binder)",
    "repo2docker-entrypoint": "binder/, repo2docker",
    "services.py": "binder/, repo2docker",
}


class MemoryWatch:
    """Looks once a second, in a thread of its own, while its ``with`` block runs."""

    def __init__(self) -> None:
        self._most: list[Process] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    @property
    def total(self) -> float:
        """The most megabytes at one time."""
        return sum(process.megabytes for process in self._most)

    def rows(self) -> list[tuple[str, float]]:
        """Who had how many of them."""
        return by_role(self._most)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(_LOOK_SECONDS):
            now = descendants()
            if sum(process.megabytes for process in now) > self.total:
                self._most = now


def by_role(processes: list[Process]) -> list[tuple[str, float]]:
    """Add up the memory of each part, the largest first."""
    sums: dict[str, float] = {}
    for process in processes:
        roles = (role for mark, role in _ROLES.items() if mark in process.command)
        role = next(roles, "others")
        sums[role] = sums.get(role, 0) + process.megabytes
    return sorted(sums.items(), key=lambda item: -item[1])
