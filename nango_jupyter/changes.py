"""Tells who wants to know that something changed."""

from __future__ import annotations

import logging
from collections.abc import Callable

__all__ = ["Changes"]

log = logging.getLogger(__name__)


class Changes:
    """Functions to call when something has changed; each looks itself at what that was."""

    def __init__(self) -> None:
        self._listeners: dict[object, Callable[[], object]] = {}

    def listen(self, listener: Callable[[], object]) -> Callable[[], None]:
        """Call a function at each change from now on; return a function that ends this."""
        key = object()
        self._listeners[key] = listener
        return lambda: _forget(self._listeners, key)

    def notify(self) -> None:
        """Tell all: what was changed is complete by now, and one that fails stops no other."""
        for listener in list(self._listeners.values()):
            try:
                listener()
            except Exception:
                log.exception("Could not tell %r of a change", listener)

    def __len__(self) -> int:
        return len(self._listeners)


def _forget(listeners: dict[object, Callable[[], object]], key: object) -> None:
    listeners.pop(key, None)
