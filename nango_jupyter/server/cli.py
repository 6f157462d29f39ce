"""The command line: ``nango-jupyter serve``."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from pathlib import Path

import click

from nango_jupyter import __version__
from nango_jupyter.exceptions import NangoError
from nango_jupyter.server.logs import LEVELS, ActionLogFormatter
from nango_jupyter.server.opening import open_server
from nango_jupyter.server.worker import Worker
from nango_jupyter.settings import Settings

__all__ = ["main"]

log = logging.getLogger(__name__)
_LOG = logging.getLogger("nango_jupyter")


class _Failure(click.ClickException):
    """An error of ours, shown as message and hint."""

    def __init__(self, error: NangoError) -> None:
        super().__init__(error.message + (f"\nHint: {error.hint}" if error.hint else ""))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="nango-jupyter")
def main() -> None:
    """Nango in a notebook, and the server behind it."""


@main.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option(
    "--url",
    metavar="URL",
    help="The broker: amqp://user:password@host:port/vhost. A password is best kept in "
    "NANGO_URL, which is used without --url; else NANGO_HOST and NANGO_PORT, else localhost.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 65535),
    default=32,
    show_default=True,
    help="How many requests to work on at once; the rest wait in the queue.",
)
@click.option(
    "--log-level",
    type=click.Choice(list(LEVELS)),
    help="What of the server's own log to show; else main_server_log_level in nango-config.yaml. "
    "Actions log by their integration's log_level.",
)
def serve(folder: Path | None, url: str | None, concurrency: int, log_level: str | None) -> None:
    """Serve the integrations in FOLDER to the clients of a broker.

    Several servers on one broker and one folder share the work. Without FOLDER, the samples are
    served, the integrations demo and crm; their connections are in this one server's memory.
    SIGTERM or Ctrl-C stops it once what runs is done, or after 30 seconds.
    """
    _set_up_logging()
    try:
        settings = Settings.from_target(url) if url else Settings.from_environment()
        asyncio.run(_serve(folder, settings, concurrency, log_level))
    except NangoError as error:
        raise _Failure(error) from None


async def _serve(
    folder: Path | None, settings: Settings, concurrency: int, log_level: str | None
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C ends it at once
            loop.add_signal_handler(number, stop.set)
    async with open_server(folder) as server:
        _LOG.setLevel(LEVELS[log_level] if log_level else server.log_level)
        for integration, actions in server.integrations().items():
            log.info("%s: %s", integration, ", ".join(actions) or "no actions")
        await Worker(server, settings, concurrency=concurrency).run(stop)


def _set_up_logging() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(ActionLogFormatter())
    _LOG.addHandler(handler)
    _LOG.setLevel(logging.INFO)
    # An action's logger has looked at its integration's level already.
    _LOG.getChild("action").setLevel(1)
