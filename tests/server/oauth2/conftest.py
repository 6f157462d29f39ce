"""Fixtures of the tests of OAuth2."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from nango_jupyter.server.config import Integration
from nango_jupyter.server.store import ConnectionStore
from tests.server.oauth2.site import OLD, OpenSite, Provider, Site
from tests.server.scripted import ScriptedApi


@pytest.fixture
def provider() -> Provider:
    """A provider of tokens, whose answers the test can hold back."""
    return Provider()


@pytest.fixture
def api(provider: Provider) -> Iterator[ScriptedApi]:
    """The server that the provider answers at."""
    with ScriptedApi(provider) as api:
        yield api


@pytest.fixture
async def open_site(api: ScriptedApi, tmp_path: Path) -> AsyncIterator[OpenSite]:
    """Open a server's part on the test's one database; `settings` are the integration's."""
    sites: list[Site] = []

    async def open_site(credentials: dict[str, Any] | None = None, **settings: Any) -> Site:
        store = ConnectionStore(None, tmp_path)
        await store.open()
        given: dict[str, Any] = {
            "base_url": f"{api.url}/api",
            "headers": {"Authorization": "Bearer ${access_token}"},
            "token_url": f"{api.url}/token",
            "oauth_client_id": "the-client",
            "oauth_client_secret": "client-secret-0123",
        }
        site = Site(store, Integration("api", **(given | settings)))
        sites.append(site)
        await store.add("api", "u1", OLD if credentials is None else credentials, None)
        return site

    yield open_site
    for site in sites:
        await site.close()
