"""Fixtures of the server's tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from nango_jupyter.server import NangoServer
from tests.server.support import register, write_action, write_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An integrations folder with one integration for each auth mode, and demo/echo."""
    folder = write_folder(tmp_path / "nango integrations")
    write_action(folder, "demo/echo", "return input")
    return folder


@pytest.fixture
async def server(folder: Path) -> AsyncIterator[NangoServer]:
    """A server of that folder, with user u1 registered for demo."""
    async with NangoServer(folder, store_url=":memory:", environ={}) as server:
        await register(server)
        yield server
