"""A small HTTP server for the servers of the benchmarks: on loopback alone, until standard input ends."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

Answer = Callable[[str, bytes], bytes]
"""Path with its query, and body, to the body that answers."""


async def _listen(answer: Answer) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            length = 0
            while (header := await reader.readline()).strip():
                if header.lower().startswith(b"content-length:"):
                    length = int(header.split(b":")[1])
            body = answer(line.decode().split(" ")[1], await reader.readexactly(length))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
                         + str(len(body)).encode() + b"\r\n\r\n" + body)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


def serve(answer: Answer) -> None:
    """Print the port, and answer requests."""
    asyncio.run(_listen(answer))
