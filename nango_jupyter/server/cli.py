# ruff: noqa: D301 - by \b click is told to keep lines as they are
"""The command line: ``nango-jupyter``."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import shlex
import sys
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import click

from nango_jupyter import __version__
from nango_jupyter.exceptions import NangoConfigError, NangoError
from nango_jupyter.secrets import redact
from nango_jupyter.server import serving
from nango_jupyter.server.database import file_of
from nango_jupyter.server.folder import Examination, IntegrationsFolder
from nango_jupyter.server.listing import as_json, as_text
from nango_jupyter.server.logs import LEVELS
from nango_jupyter.server.problems import unusable
from nango_jupyter.server.scaffold import write_starter
from nango_jupyter.server.store import ConnectionStore
from nango_jupyter.settings import Settings

__all__ = ["main"]

_T = TypeVar("_T")


class _Failure(click.ClickException):
    """An error of ours, shown as message and hint."""

    def __init__(self, error: NangoError) -> None:
        super().__init__(error.message + (f"\nHint: {error.hint}" if error.hint else ""))


def _run(work: Coroutine[Any, Any, _T]) -> _T:
    try:
        return asyncio.run(work)
    except NangoError as error:
        raise _Failure(error) from None


def _leave() -> None:
    """End Python without waiting for threads that actions have left behind."""
    if threading.active_count() > 1:  # Python waits even for daemons, if a pool has made them
        logging.shutdown()
        os._exit(0)


_folder = click.argument("folder", type=click.Path(path_type=Path))
_optional_folder = click.argument("folder", required=False, type=click.Path(path_type=Path))
_store = click.option(
    "--store",
    metavar="URL",
    envvar="NANGO_STORE_URL",
    help="Where connections are kept: postgresql+asyncpg://user:password@host/database, "
    "sqlite+aiosqlite:////path/to/file, or :memory:. A password is best kept in "
    "NANGO_STORE_URL, which is used without --store; else a SQLite file in FOLDER.",
)


def _not_nan(_: click.Context, __: click.Parameter, value: float) -> float:
    if math.isnan(value):  # a range lets it through
        raise click.BadParameter("nan is not a number of seconds.")
    return value


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 fine, 1 it failed and standard error says why, 2 the command line is "
    "wrong.",
)
@click.version_option(__version__, prog_name="nango-jupyter")
def main() -> None:
    """Nango in a notebook, and the server behind it.

    \b
    A new folder of integrations, and a server for it:
      nango-jupyter init my-integrations
      nango-jupyter serve my-integrations
    """


@main.command()
@_optional_folder
@click.option(
    "--url",
    metavar="URL",
    help="The broker: amqp://user:password@host:port/vhost. A password is best kept in "
    "NANGO_URL, which is used without --url; else NANGO_HOST and NANGO_PORT, else localhost.",
)
@_store
@click.option(
    "--concurrency",
    type=click.IntRange(1, 65535),
    default=32,
    show_default=True,
    help="How many requests to work on at once; the rest wait in the queue.",
)
@click.option(
    "--grace",
    metavar="SECONDS",
    type=click.FloatRange(0, 86400),
    callback=_not_nan,
    default=30.0,
    show_default=True,
    help="How long to wait, on stopping, for what runs.",
)
@click.option(
    "--log-level",
    type=click.Choice(list(LEVELS)),
    help="What of the server's own log to show; else main_server_log_level in nango-config.yaml. "
    "Actions log by their integration's log_level.",
)
def serve(
    folder: Path | None,
    url: str | None,
    store: str | None,
    concurrency: int,
    grace: float,
    log_level: str | None,
) -> None:
    """Serve FOLDER to the clients of a broker.

    \b
      NANGO_URL=amqp://localhost nango-jupyter serve my-integrations

    Several servers on one broker and one store share the work. Without FOLDER, the samples are
    served, the integrations demo, crm, chat and billing; their connections are in this one
    server's memory.
    What changes in FOLDER is taken into use at once. With NANGO_ENCRYPTION_KEY, credentials are
    encrypted in the store.

    SIGTERM or Ctrl-C stops it: it takes no more requests, and leaves when those that run are
    done. A second one ends it at once, with the exit code 143 or 130.

    The log goes to standard error; "ready:" says that requests are taken. A line of an action:

    \b
      TIME LEVEL [INTEGRATION] [ACTION] [user-id: U] [exec ID: #ID] TEXT
    """
    serving.set_up_logging()
    try:
        settings = Settings.from_target(url) if url else Settings.from_environment()
    except NangoError as error:
        raise _Failure(error) from None
    _run(
        serving.serve(
            folder,
            settings,
            store_url=store,
            concurrency=concurrency,
            grace=grace,
            log_level=log_level,
        )
    )
    _leave()


@main.command()
@_folder
def check(folder: Path) -> None:
    """List what is wrong with FOLDER.

    \b
      nango-jupyter check my-integrations

    One problem a line, as FILE:LINE: TEXT; warnings go to standard error. The environment
    variables must be set as for serve. Action files are run, but no action is.
    """
    found = _examine(folder)
    for warning in found.warnings:
        click.echo(f"Warning: {warning}", err=True)
    for problem in found.problems:
        click.echo(problem)
    if found.problems:
        sys.exit(1)
    integrations = found.folder.integrations()
    actions = sum(map(len, integrations.values()))
    counts = f"{_count(len(integrations), 'integration')}, {_count(actions, 'action')}"
    click.echo(f"{counts}: no problems")


@main.command()
@_folder
def init(folder: Path) -> None:
    """Write a new FOLDER, with a sample action.

    \b
      nango-jupyter init my-integrations
    """
    try:
        written = write_starter(folder)
    except NangoError as error:
        raise _Failure(error) from None
    for name in written:
        click.echo(f"wrote {folder / name}")
    shown = shlex.quote(str(folder))
    click.echo(
        f"\nIn a notebook:\n"
        f"  %load_ext nango_jupyter\n"
        f"  %nango_connect --local {shown}\n"
        f"  %nango_register demo ada\n"
        f'  %nango_trigger demo greet ada {{"name": "Ada"}}\n'
        f"Behind a RabbitMQ:\n"
        f"  nango-jupyter serve {shown}"
    )


@main.command()
@_folder
@click.option("--json", "is_json", is_flag=True, help="Write JSON, with the inputs' schemas.")
def actions(folder: Path, is_json: bool) -> None:
    """List the actions in FOLDER, with their inputs.

    \b
      nango-jupyter actions my-integrations
    """
    found = _examine(folder)
    if found.problems:
        raise _Failure(unusable(folder, found.problems))
    described = _run(found.folder.describe())
    show = as_json if is_json else as_text
    click.echo(show(found.folder.integrations(), described))


@main.command("rotate-key")
@_optional_folder
@_store
def rotate_key(folder: Path | None, store: str | None) -> None:
    """Encrypt the store with a new key.

    \b
      NANGO_ENCRYPTION_KEY=NEW,OLD nango-jupyter rotate-key my-integrations

    NANGO_ENCRYPTION_KEY holds keys, separated by commas: the first encrypts, all decrypt. To
    change the key, start all servers with the new one first and the old one second, run this, and
    drop the old one. What was stored before there was a key is encrypted, too.
    """
    if not os.environ.get("NANGO_ENCRYPTION_KEY"):
        raise click.UsageError("NANGO_ENCRYPTION_KEY is not set: it holds the keys.")
    if folder is None and not store:
        raise click.UsageError("Give the FOLDER that holds the store, or --store.")
    if not store and folder and not (folder / ".nango-jupyter").is_dir():
        raise _Failure(NangoConfigError(f"There is no store in {folder}"))
    if store and (path := file_of(store)) and not path.exists():
        raise _Failure(NangoConfigError(f"There is no store {path}", "Is its path right?"))
    count = _run(_rotate(folder or Path(), store))
    where = redact(store) if store else folder
    click.echo(f"{_count(count, 'connection')} encrypted anew in {where}")


async def _rotate(folder: Path, store_url: str | None) -> int:
    keys = os.environ["NANGO_ENCRYPTION_KEY"]
    store = ConnectionStore(store_url, folder, encryption_key=keys)
    await store.open()
    try:
        return await store.rotate()
    finally:
        await store.close()


def _examine(folder: Path) -> Examination:
    # What action files print while they are run is not what a program is to read.
    with contextlib.redirect_stdout(sys.stderr):
        return _run(IntegrationsFolder.examine(folder, os.environ))


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
