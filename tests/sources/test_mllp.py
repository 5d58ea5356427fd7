"""Receiving messages: real sockets on loopback; what was acknowledged is on disk, whatever the sender does."""

from __future__ import annotations

import asyncio
import os
import queue
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from analytics.core.errors import PacsmeterError
from analytics.sources import spool as spool_module
from analytics.sources.hl7_files import messages_in
from analytics.sources.mllp import Limits, Listener, listen
from analytics.sources.mllp_answer import answer_to
from analytics.sources.spool import Spool
from tests.support import ROOT

FRAME_END = b"\x1c\r"


def order(number: int, body: bytes = b"") -> bytes:
    return (b"MSH|^~\\&|RIS|NORTH|PACS|SOUTH|20260701080000||ORM^O01|C%d|P|2.3\r"
            b"PID|1||HX7731942||ZWICKERBAUER^ROSWITHA\rORC|NW|P1|A%d\r" % (number, number)) + body


@dataclass
class Running:
    """A listener that runs, and what it has said."""

    port: int
    said: list[str] = field(default_factory=list)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)


@contextmanager
def listening(folder: Path, **limits: float) -> Iterator[Running]:
    """Run a listener on a free port of loopback; it ends with the block."""
    ready: queue.SimpleQueue[tuple[Listener, int, asyncio.AbstractEventLoop]] = queue.SimpleQueue()
    running = Running(0)
    thread = threading.Thread(target=listen, args=(folder,), kwargs={
        "port": 0, "limits": Limits(**limits), "say": running.said.append,  # type: ignore[arg-type]
        "ready": lambda listener, port: ready.put((listener, port, asyncio.get_running_loop()))})
    thread.start()
    listener, running.port, loop = ready.get(timeout=20)
    try:
        yield running
    finally:
        loop.call_soon_threadsafe(listener.stop)
        thread.join(20)
        assert not thread.is_alive(), "the listener ends when it is asked to"


def framed(raw: bytes) -> bytes:
    return b"\x0b" + raw + FRAME_END


def answer(sender: socket.socket) -> list[bytes]:
    """Return MSA-1 and MSA-2 of the next answer."""
    held = b""
    while not held.endswith(FRAME_END):
        more = sender.recv(1)  # no further: another answer may follow
        if not more:
            return []
        held += more
    return held.split(b"MSA|")[1].rstrip(b"\r\x1c").split(b"|")[:2]


def kept(folder: Path) -> list[bytes]:
    found = []
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            found += [message.raw for message in messages_in(file)]
    return found


def test_a_message_is_on_disk_when_it_is_acknowledged(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    with listening(folder) as running, running.connect() as sender:
        sender.sendall(framed(order(1)))
        assert answer(sender) == [b"AA", b"C1"]
        assert kept(folder) == [order(1).strip()]
        sender.sendall(framed(order(2)))
        assert answer(sender) == [b"AA", b"C2"]
    assert kept(folder) == [order(1).strip(), order(2).strip()]
    (path,) = folder.iterdir()
    assert (stat.S_IMODE(folder.stat().st_mode), stat.S_IMODE(path.stat().st_mode)) == (0o700, 0o600)
    assert "ZWICKERBAUER" not in " ".join(running.said)


def test_it_is_flushed_to_the_disk_before_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[int] = []

    def note(handle: int) -> None:
        flushed.append(os.fstat(handle).st_size)

    monkeypatch.setattr(spool_module.os, "fsync", note)
    folder = tmp_path / "spool"
    with listening(folder) as running, running.connect() as sender:
        sender.sendall(framed(order(1)))
        answer(sender)
        assert len(framed(order(1))) in flushed


def test_what_is_no_message_is_answered_with_an_error_and_kept(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    with listening(folder) as running, running.connect() as sender:
        wrong_delimiters = b"MSH|^^^^|a|b|c|d|e||ORM^O01|C9|P|2.3"
        for raw, control in ((b"hello", b""), (b"MSH|^~\\&|RIS", b""), (wrong_delimiters, b"C9")):
            sender.sendall(framed(raw))
            assert answer(sender) == [b"AE", control]
        sender.sendall(framed(order(3)))
        assert answer(sender) == [b"AA", b"C3"]
    (path,) = folder.iterdir()
    assert path.read_bytes().count(b"\x0b") == 4
    with path.open("rb") as file:
        assert [found.fault for found in messages_in(file)] == ["no_header", "", "", ""]


def test_a_message_in_pieces_and_several_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    with listening(folder) as running, running.connect() as sender:
        sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in framed(order(1)):
            sender.sendall(bytes([byte]))
        assert answer(sender) == [b"AA", b"C1"]
        sender.sendall(framed(order(2)) + b"\r\n" + framed(order(3)))
        assert [answer(sender), answer(sender)] == [[b"AA", b"C2"], [b"AA", b"C3"]]
    assert len(kept(folder)) == 3


def test_a_sender_that_breaks_off_is_not_answered_and_harms_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    with listening(folder) as running:
        with running.connect() as broken:
            broken.sendall(framed(order(1))[:-40])
            broken.shutdown(socket.SHUT_WR)
            assert answer(broken) == []
        with running.connect() as sender:
            sender.sendall(framed(order(2)))
            assert answer(sender) == [b"AA", b"C2"]
    assert kept(folder) == [order(2).strip()]
    assert any("broke off" in line for line in running.said)


def test_a_message_too_large_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    with listening(folder, message_bytes=2_000) as running:
        with running.connect() as sender:
            sender.sendall(framed(order(1, b"OBX|1|ED|||" + b"x" * 10_000 + b"\r")))
            assert answer(sender) == [b"AE", b""]
        with running.connect() as sender:
            sender.sendall(framed(order(2)))
            assert answer(sender) == [b"AA", b"C2"]
    assert kept(folder) == [order(2).strip()]
    assert any("2,000 bytes" in line for line in running.said)


def test_a_silent_sender_is_let_go(tmp_path: Path) -> None:
    with listening(tmp_path / "spool", idle_seconds=0.05) as running, running.connect() as sender:
        assert sender.recv(1) == b""


def test_a_sender_that_stops_in_the_middle_is_let_go(tmp_path: Path) -> None:
    with listening(tmp_path / "spool", message_seconds=0.05) as running, running.connect() as sender:
        sender.sendall(b"\x0bMSH|")
        assert sender.recv(1) == b""


def test_more_senders_than_allowed_are_turned_away(tmp_path: Path) -> None:
    with listening(tmp_path / "spool", connections=1) as running, running.connect() as first:
        first.sendall(framed(order(1)))
        answer(first)
        with running.connect() as second:
            assert second.recv(1) == b""
        first.sendall(framed(order(2)))
        assert answer(first) == [b"AA", b"C2"]


def test_a_full_disk_is_answered_with_an_error_and_leaves_no_half_message(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "spool"
    with listening(folder) as running, running.connect() as sender:
        sender.sendall(framed(order(1)))
        answer(sender)
        whole = spool_module._write_all

        def full(handle: int, content: bytes) -> None:
            whole(handle, content[:20])
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(spool_module, "_write_all", full)
        sender.sendall(framed(order(2)))
        assert answer(sender) == [b"AE", b"C2"]
        monkeypatch.setattr(spool_module, "_write_all", whole)
        sender.sendall(framed(order(3)))
        assert answer(sender) == [b"AA", b"C3"]
    assert kept(folder) == [order(1).strip(), order(3).strip()]
    assert any("No space left" in line for line in running.said)


def test_ten_thousand_messages_of_many_senders_are_all_there(tmp_path: Path) -> None:
    folder = tmp_path / "spool"

    def send(running: Running, first: int) -> int:
        with running.connect() as sender:
            sender.sendall(b"".join(framed(order(first + number)) for number in range(500)))
            return sum(answer(sender)[0] == b"AA" for _ in range(500))

    with listening(folder) as running, ThreadPoolExecutor(20) as senders:
        assert sum(senders.map(lambda one: send(running, one * 500), range(20))) == 10_000
    assert len(set(kept(folder))) == 10_000


def test_an_accept_acknowledgment_is_given_where_it_is_asked_for() -> None:
    asked = b"MSH|^~\\&|RIS|NORTH|PACS|SOUTH|20260701080000||ORM^O01|C1|P|2.5|||AL\rORC|NW|P1|A1\r"
    assert b"MSA|CA|C1" in answer_to(asked, kept=True)
    assert b"MSH|^~\\&|PACS|SOUTH|RIS|NORTH|" in answer_to(asked, kept=True)
    assert b"|ACK^O01|" in answer_to(asked, kept=True)
    assert b"MSA|CE|C1" in answer_to(asked, kept=False)


def test_another_may_not_receive_into_the_same_folder(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool"), pytest.raises(PacsmeterError, match="Another process"):
        Spool(tmp_path / "spool")


def test_a_folder_that_others_can_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir(mode=0o755)
    with pytest.raises(PacsmeterError, match="chmod 700"):
        listen(tmp_path / "spool", port=0)


def test_an_address_that_is_taken_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(PacsmeterError, match=r"cannot be listened on.*--port"):
            listen(tmp_path / "spool", port=taken.getsockname()[1])


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_the_command_ends_in_order(tmp_path: Path, asked: signal.Signals) -> None:
    command = [sys.executable, "-c", "from analytics.cli import main; main()", "listen", str(tmp_path / "spool"),
               "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, "PYTHONUNBUFFERED": "1"}) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        with socket.create_connection(("127.0.0.1", int(line.rstrip(".\n").rpartition(":")[2])), timeout=20) as sender:
            sender.sendall(framed(order(1)))
            assert answer(sender) == [b"AA", b"C1"]
            process.send_signal(asked)
            _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (0, "")
    assert kept(tmp_path / "spool") == [order(1).strip()]
