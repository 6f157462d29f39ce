"""What ``nango-jupyter serve`` runs: a server behind a broker, until a signal ends it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import threading
from pathlib import Path

from nango_jupyter.secrets import redact
from nango_jupyter.server.logs import LEVELS, ActionLogFormatter, redact_handler
from nango_jupyter.server.opening import open_server
from nango_jupyter.server.worker import Worker
from nango_jupyter.settings import Settings

__all__ = ["serve", "set_up_logging"]

log = logging.getLogger(__name__)
_LOG = logging.getLogger("nango_jupyter")


def set_up_logging() -> None:
    """Write the log to standard error, in the documented form and without secrets.

    What actions log with loggers of their own, and what their threads raise, is written, too.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(ActionLogFormatter())
    redact_handler(handler)
    logging.getLogger().addHandler(handler)
    _LOG.setLevel(logging.INFO)
    # An action's logger has looked at its integration's level already.
    _LOG.getChild("action").setLevel(1)
    # They write each lost connection with its traceback; the worker says so in a line.
    for name in ("aio_pika", "aiormq"):
        logging.getLogger(name).propagate = False
    threading.excepthook = _log_thread


def _log_thread(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_type is not SystemExit:
        error = f"{failed.exc_type.__name__}: {failed.exc_value}"
        log.error("In a thread of an action: %s", redact(error))


async def serve(
    folder: Path | None,
    settings: Settings,
    *,
    store_url: str | None,
    concurrency: int,
    grace: float,
    log_level: str | None,
) -> None:
    """Serve until SIGTERM or SIGINT.

    Parameters
    ----------
    folder : Path or None
        The samples without one.
    settings : Settings
        Where the broker is.
    store_url : str or None
    concurrency : int
    grace : float
        How long to wait, on stopping, for what runs, in seconds.
    log_level : str or None
        Wins over the folder's ``main_server_log_level``.

    Raises
    ------
    NangoError
        If the folder, the store or the broker can't be used.
    """
    stop = asyncio.Event()
    _stop_on_signals(stop, grace)
    async with open_server(folder, store_url=store_url) as server:
        _LOG.setLevel(LEVELS[log_level] if log_level else server.log_level)
        # Whoever waits for "ready:" would wait for ever where only errors are shown.
        _LOG.getChild("server.worker").setLevel(min(_LOG.level, logging.INFO))
        for integration, actions in server.integrations().items():
            log.info("%s: %s", integration, ", ".join(actions) or "no actions")
        await Worker(server, settings, concurrency=concurrency, grace=grace).run(stop)


def _stop_on_signals(stop: asyncio.Event, grace: float) -> None:
    """Set `stop` at the first signal; end the process at the second."""

    def on_signal(number: signal.Signals) -> None:
        if stop.is_set():
            log.warning("%s again: what runs is given up", number.name)
            os._exit(128 + number)  # whatever else is to be closed may be what hangs
        log.info("%s: finishing what runs, for at most %g s", number.name, grace)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C ends it at once
            loop.add_signal_handler(number, on_signal, number)
