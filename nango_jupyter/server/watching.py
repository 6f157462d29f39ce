"""Waits for changes in an integrations folder."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

from watchfiles import Change, awatch

__all__ = ["changes"]

log = logging.getLogger(__name__)


async def changes(folder: Path) -> AsyncIterator[None]:
    """Come round whenever something in the folder may have changed, and every few seconds.

    Not all file systems tell of changes, and none tells of those before the first call.
    """

    def matters(_: Change, name: str) -> bool:
        # Ours, where each request may write, and what editors and Python leave behind.
        parts = Path(name).relative_to(folder).parts
        return not any(part.startswith((".", "__pycache__")) for part in parts)

    try:
        async for _ in awatch(folder, watch_filter=matters, yield_on_timeout=True):
            yield
    except OSError as error:
        log.warning("%s can't be watched: changes are seen when they are used (%s)", folder, error)
