"""A TCP proxy in front of the broker that cuts, stalls, delays and refuses on demand."""

import asyncio
import contextlib
import socket
import struct
from typing import Self
from urllib.parse import urlsplit

CHUNK = 65536
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: close() sends RST


class Proxy:
    """Forwards 127.0.0.1:`port` to 127.0.0.1:`target_port` while its ``async with`` block runs.

    Attributes
    ----------
    port
        Where to connect; stays the same through `refuse` and `accept`.
    delay
        Seconds that each chunk waits before it is forwarded, in both directions.
    sent_to_broker, sent_to_client
        Bytes forwarded so far.
    """

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.port = 0  # chosen by the kernel at the first `accept`
        self.delay = 0.0
        self.sent_to_broker = 0
        self.sent_to_client = 0
        self._server: asyncio.Server | None = None
        self._links: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}
        self._flowing = asyncio.Event()
        self._flowing.set()

    def url(self, target: str) -> str:
        """Return the AMQP URL `target`, but through this proxy."""
        parts = urlsplit(target)
        login = parts.netloc.rpartition("@")[0]
        return parts._replace(netloc=f"{login}@127.0.0.1:{self.port}").geturl()

    async def accept(self) -> None:
        """Open the listening socket (again)."""
        self._server = await asyncio.start_server(self._forward, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        """Close the listening socket; connections that exist go on."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def cut(self) -> None:
        """Reset all current connections, on both sides."""
        for link, writers in self._links.items():
            for writer in writers:
                linger = (socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                if writer.get_extra_info("socket").fileno() >= 0:  # else it ends by itself
                    writer.get_extra_info("socket").setsockopt(*linger)
                writer.transport.abort()
            link.cancel()

    def stall(self) -> None:
        """Forward nothing any more, in either direction, but keep every connection open."""
        self._flowing.clear()

    def resume(self) -> None:
        """Forward again, beginning with what came in during `stall`."""
        self._flowing.set()

    async def __aenter__(self) -> Self:
        await self.accept()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.refuse()
        self.cut()
        await asyncio.gather(*self._links, return_exceptions=True)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until either side ends it."""
        link = asyncio.current_task()
        assert link is not None
        self._links[link] = [writer]
        try:
            with contextlib.suppress(OSError):
                broker = await asyncio.open_connection("127.0.0.1", self.target_port)
                self._links[link].append(broker[1])
                await self._pump_both(reader, writer, *broker)
        finally:
            await _close(self._links.pop(link))

    async def _pump_both(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        broker_reader: asyncio.StreamReader,
        broker_writer: asyncio.StreamWriter,
    ) -> None:
        pumps = [
            asyncio.create_task(self._pump(reader, broker_writer, "sent_to_broker")),
            asyncio.create_task(self._pump(broker_reader, writer, "sent_to_client")),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, counter: str
    ) -> None:
        while data := await reader.read(CHUNK):
            await asyncio.sleep(self.delay)
            await self._flowing.wait()
            writer.write(data)
            setattr(self, counter, getattr(self, counter) + len(data))
            await writer.drain()


async def _close(writers: list[asyncio.StreamWriter]) -> None:
    for writer in writers:
        writer.close()
    for writer in writers:
        with contextlib.suppress(OSError):
            await writer.wait_closed()
