"""Waits for changes in an integrations folder."""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncIterator
from pathlib import Path

from watchfiles import Change, watch

from nango_jupyter.server.threads import in_thread

__all__ = ["changes"]

log = logging.getLogger(__name__)


async def changes(folder: Path) -> AsyncIterator[None]:
    """Come round whenever something in the folder may have changed, and every few seconds.

    Not all file systems tell of changes, and none tells of those before the first call. It ends
    if the folder can't be watched at all, which the log says.
    """

    def matters(_: Change, name: str) -> bool:
        # Ours, where each request may write, and what editors and Python leave behind.
        parts = Path(name).relative_to(folder).parts
        return not any(part.startswith((".", "__pycache__")) for part in parts)

    stop = threading.Event()
    found = watch(
        folder,
        watch_filter=matters,
        yield_on_timeout=True,
        stop_event=stop,
        raise_interrupt=False,
    )
    try:
        # Not awatch, whose threads Python waits for when it ends.
        while await in_thread(lambda: next(found, None)) is not None:
            yield
    except (OSError, RuntimeError) as error:
        log.warning("%s can't be watched: changes are seen when they are used (%s)", folder, error)
    finally:
        stop.set()
