"""Receiving HL7 v2 messages over the Minimal Lower Layer Protocol (HL7 v2.5.1 appendix C.4), into files of a folder.

Each message is on disk before it is acknowledged, so what a sender was told is received is never lost; what is no HL7
is kept as well and answered with an error, so that the next load names it in quarantine. The folder holds the
identities of patients as they came: it belongs to its owner alone, as the messages of the RIS do.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from analytics.core.errors import PacsmeterError
from analytics.sources.hl7_files import END_BLOCK, MAX_MESSAGE_BYTES, START_BLOCK
from analytics.sources.mllp_answer import answer_to
from analytics.sources.spool import Spool

END = END_BLOCK + b"\r"
PORT = 2575
"""Registered for HL7 with IANA."""
_MESSAGES_A_WRITE = 500
_SECONDS_TO_STOP = 10

Say = Callable[[str], None]


@dataclass(frozen=True)
class Limits:
    """What one sender, or all of them together, may ask of the listener."""

    message_bytes: int = MAX_MESSAGE_BYTES
    connections: int = 64
    idle_seconds: float = 3600
    message_seconds: float = 60


class Listener:
    """Takes messages from senders and answers each once it is on disk.

    Parameters
    ----------
    spool : Spool
        Where they are written.
    limits : Limits
    say : callable
        Told one line when something is wrong; never what a message holds.
    """

    def __init__(self, spool: Spool, limits: Limits, say: Say) -> None:
        self._spool, self._limits, self._say = spool, limits, say
        self._waiting: asyncio.Queue[tuple[bytes, asyncio.Future[bool]]] = asyncio.Queue(limits.connections)
        self._senders: set[asyncio.Task[None]] = set()
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """End when the messages that have come are on disk and answered."""
        self._stop.set()

    async def serve(self, host: str, port: int, ready: Callable[[int], None]) -> None:
        """Listen until `stop` is called; ``ready`` is told the port."""
        server = await asyncio.start_server(self._connected, host, port, limit=self._limits.message_bytes)
        writing = asyncio.ensure_future(self._write())
        ready(server.sockets[0].getsockname()[1])
        await self._stop.wait()
        server.close()
        if self._senders:
            await asyncio.wait(set(self._senders), timeout=_SECONDS_TO_STOP)
        writing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await writing

    async def _write(self) -> None:
        """Write what waits, several messages at a time: one flush to the disk serves every sender that waits."""
        while True:
            some = [await self._waiting.get()]
            while len(some) < _MESSAGES_A_WRITE and not self._waiting.empty():
                some.append(self._waiting.get_nowait())
            try:
                await asyncio.to_thread(self._spool.append, [raw for raw, _ in some])
                kept = True
            except OSError as error:
                self._say(f"{len(some)} messages could not be written ({error.strerror}) and were refused.")
                kept = False
            for _, future in some:
                if not future.done():
                    future.set_result(kept)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._senders) >= self._limits.connections or self._stop.is_set():
            self._say(f"A sender was turned away: {self._limits.connections} are connected.")
            writer.close()
            return
        self._senders.add(task)
        try:
            await self._converse(reader, writer)
        except (ConnectionError, TimeoutError):
            pass  # a sender that has gone sends again what was not answered
        finally:
            self._senders.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stopped = asyncio.ensure_future(self._stop.wait())
        try:
            while not self._stop.is_set():
                coming = asyncio.ensure_future(self._next(reader))
                await asyncio.wait({coming, stopped}, return_when=asyncio.FIRST_COMPLETED)
                if not coming.done():
                    coming.cancel()
                    return
                raw = coming.result()
                if raw is None:
                    return
                answer = answer_to(raw, kept=await self._keep(raw))
                writer.write(START_BLOCK + answer + END)
                await asyncio.wait_for(writer.drain(), self._limits.message_seconds)
        except asyncio.LimitOverrunError:
            self._say(f"A message of more than {self._limits.message_bytes:,} bytes was refused.")
            writer.write(START_BLOCK + answer_to(b"", kept=False) + END)
        finally:
            stopped.cancel()

    async def _next(self, reader: asyncio.StreamReader) -> bytes | None:
        """Return the next message without its frame; nothing where the sender has gone, or stays silent."""
        try:
            first = b"\r"
            while first in b"\r\n":
                first = await asyncio.wait_for(reader.readexactly(1), self._limits.idle_seconds)
            rest = await asyncio.wait_for(reader.readuntil(END), self._limits.message_seconds)
        except asyncio.IncompleteReadError as error:
            if error.partial:
                self._say("A sender broke off in the middle of a message; it was not answered.")
            return None
        except TimeoutError:
            return None
        return (first + rest[:-len(END)]).removeprefix(START_BLOCK)

    async def _keep(self, raw: bytes) -> bool:
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        await self._waiting.put((raw, future))
        return await future


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(folder: Path, host: str = "127.0.0.1", port: int = PORT, *, limits: Limits | None = None, say: Say = print,
           ready: Callable[[Listener, int], None] | None = None) -> None:
    """Receive messages until SIGINT or SIGTERM, then end in order.

    Parameters
    ----------
    folder : Path
        Where messages are written, a file a day (UTC): ``received-20261125.hl7``. Made where it is not there, for its
        owner alone. ``pacsmeter load hl7:///folder`` loads it, at any time.
    host : str
        Address to listen on; this machine alone where not given.
    port : int
        0 for any that is free.
    limits : Limits, optional
    say : callable
        Told what a person should know, a line at a time.
    ready : callable, optional
        Told the listener and its port once it listens.

    Raises
    ------
    PacsmeterError
        The address is taken, or the folder cannot be used.
    """
    with Spool(folder) as spool:
        if not _is_loopback(host):
            say(f"Listening on {host}: whoever reaches this address can send messages, and they come unencrypted. "
                "Let only the sender through the firewall, or put a TLS tunnel before it.")
        asyncio.run(_run(spool, host, port, limits or Limits(), say, ready))


async def _run(spool: Spool, host: str, port: int, limits: Limits, say: Say,
               ready: Callable[[Listener, int], None] | None) -> None:
    listener = Listener(spool, limits, say)
    if threading.current_thread() is threading.main_thread():
        for one in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(one, listener.stop)

    def listening(port_taken: int) -> None:
        say(f"Listening on {host}:{port_taken}.")
        if ready is not None:
            ready(listener, port_taken)

    try:
        await listener.serve(host, port, listening)
    except OSError as error:
        raise PacsmeterError(f"The address cannot be listened on ({error.strerror or 'it is not known'})",
                             "Name another --port, or another --host.", f"{host}:{port}") from None
