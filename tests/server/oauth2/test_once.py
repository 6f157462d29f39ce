"""A token is refreshed once, however many wait for it, in whatever process."""

import asyncio
import sys
import time
from pathlib import Path

import pytest

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.server.http import HttpClients
from nango_jupyter.server.response import NangoResponse
from nango_jupyter.server.store import ConnectionStore
from tests.server.oauth2.site import OLD, OpenSite, Provider, Site, fresh_but_refused, posts
from tests.server.scripted import Context, ScriptedApi

ROOT = Path(__file__).parents[3]


async def test_fifty_actions_of_two_stores_refresh_once(
    open_site: OpenSite, provider: Provider, api: ScriptedApi
) -> None:
    provider.may_answer.clear()
    sites = [await open_site(), await open_site()]
    contexts = [await sites[number % 2].context() for number in range(50)]
    requests = asyncio.gather(*(context.http_request("x") for context in contexts))
    await provider.is_asked()
    await asyncio.sleep(0.3)  # the others find that somebody does it
    provider.may_answer.set()
    assert [one.status_code for one in await requests] == [200] * 50
    assert len(posts(api)) == 1


async def test_fifty_refused_requests_refresh_once(
    open_site: OpenSite, provider: Provider, api: ScriptedApi
) -> None:
    provider.may_answer.clear()
    sites = [await open_site(fresh_but_refused()) for _ in range(2)]
    contexts = [await sites[number % 2].context() for number in range(50)]
    requests = asyncio.gather(*(context.http_request("x") for context in contexts))
    await provider.is_asked()
    await asyncio.sleep(0.3)  # the others find that somebody does it
    provider.may_answer.set()
    assert [one.status_code for one in await requests] == [200] * 50
    assert len(posts(api)) == 1


PROCESS = """
import asyncio, sys
from pathlib import Path
from nango_jupyter.server.config import Integration
from nango_jupyter.server.response import NangoResponse
from nango_jupyter.server.store import ConnectionStore
from tests.server.oauth2.site import Site

async def main(folder, url):
    store = ConnectionStore(None, Path(folder))
    await store.open()
    urls = {"base_url": url + "/api", "token_url": url + "/token"}
    headers = {"Authorization": "Bearer ${access_token}"}
    site = Site(store, Integration("api", headers=headers, **urls))
    contexts = [await site.context() for _ in range(25)]
    print("ready", flush=True)
    sys.stdin.readline()
    found = await asyncio.gather(*(context.http_request("x") for context in contexts))
    await site.close()
    print([one.status_code for one in found] == [200] * 25)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_two_processes_refresh_once(
    open_site: OpenSite, provider: Provider, api: ScriptedApi, tmp_path: Path
) -> None:
    await open_site()
    provider.may_answer.clear()
    pipe = asyncio.subprocess.PIPE
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROCESS, str(tmp_path), api.url, cwd=ROOT, stdin=pipe, stdout=pipe
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    ends = asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    await provider.is_asked()
    await asyncio.sleep(0.3)
    provider.may_answer.set()
    assert [output for output, _ in await ends] == [b"True\n"] * 2
    assert len(posts(api)) == 1


async def test_a_server_that_died_while_it_refreshed_is_not_waited_for_longer_than_its_lease(
    open_site: OpenSite, api: ScriptedApi
) -> None:
    site, dead = await open_site(), await open_site()
    started = time.monotonic()
    assert await dead.store.claim_refresh(await dead.stored(), 0.5)
    assert (await (await site.context()).http_request("x")).status_code == 200
    assert 0.4 < time.monotonic() - started < 20
    assert len(posts(api)) == 1


async def begin_refresh(
    open_site: OpenSite, provider: Provider
) -> tuple[Site, asyncio.Task[NangoResponse]]:
    """Send a request whose token is stale, and wait until the provider is asked for a new one."""
    provider.may_answer.clear()
    site = await open_site()
    request = asyncio.create_task((await site.context()).http_request("x"))
    await provider.is_asked()
    return site, request


async def test_credentials_that_were_updated_meanwhile_are_kept(
    open_site: OpenSite, provider: Provider
) -> None:
    site, request = await begin_refresh(open_site, provider)
    own = {"access_token": "of-a-new-login", "refresh_token": "of-a-new-login"}
    await site.store.set_credentials("api", "u1", own)
    provider.may_answer.set()
    assert (await request).json == {"token": "of-a-new-login"}
    assert (await site.stored()).credentials == own


async def test_an_update_that_has_the_same_refresh_token_does_not_lose_the_new_one(
    open_site: OpenSite, provider: Provider
) -> None:
    site, request = await begin_refresh(open_site, provider)
    await site.store.set_credentials("api", "u1", {**OLD, "shop": "new"})
    provider.may_answer.set()
    assert (await request).status_code == 200
    credentials = (await site.stored()).credentials
    assert (credentials["shop"], credentials["refresh_token"]) == ("new", "new-refresh-1")


async def test_an_action_that_is_given_up_takes_the_refresh_from_nobody(
    open_site: OpenSite, provider: Provider, api: ScriptedApi
) -> None:
    provider.may_answer.clear()
    site = await open_site()
    first = asyncio.create_task((await site.context()).http_request("x"))
    second = asyncio.create_task((await site.context()).http_request("x"))
    await provider.is_asked()
    first.cancel()
    provider.may_answer.set()
    assert (await second).status_code == 200
    assert first.cancelled()
    assert len(posts(api)) == 1


async def test_a_refresh_under_way_is_stored_when_the_server_stops(
    open_site: OpenSite, provider: Provider
) -> None:
    site, request = await begin_refresh(open_site, provider)
    request.cancel()
    closing = asyncio.create_task(site.refresher.close())
    await asyncio.sleep(0.1)
    assert not closing.done()
    provider.may_answer.set()
    await closing
    assert (await site.stored()).credentials["refresh_token"] == "new-refresh-1"


async def test_an_action_on_another_event_loop(open_site: OpenSite, api: ScriptedApi) -> None:
    site = await open_site()
    stored, server_loop = await site.stored(), asyncio.get_running_loop()

    async def act() -> list[int]:
        clients = HttpClients()
        contexts = [
            Context(site.integration, stored, clients, site.refresher, server_loop)
            for _ in range(10)
        ]
        found = await asyncio.gather(*(context.http_request("x") for context in contexts))
        await clients.close()
        return [one.status_code for one in found]

    assert await asyncio.to_thread(asyncio.run, act()) == [200] * 10
    assert len(posts(api)) == 1


async def test_a_connection_that_is_gone(open_site: OpenSite, tmp_path: Path) -> None:
    site = await open_site()
    context = await site.context()
    empty = ConnectionStore(":memory:", tmp_path)
    await empty.open()
    site.refresher._store = empty
    with pytest.raises(NangoUsageError, match="the connection is gone"):
        await context.http_request("x")
    await empty.close()
