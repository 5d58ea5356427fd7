"""Answers that a snapshot keeps: the reads that pages begin with are made once, when the snapshot is published.

An answer is kept under its question: the text of the select on this engine, its parameters, and the names and types of
its columns. A snapshot never changes, so the same question has the same answer; another one is asked of the tables.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from analytics.warehouse.schema_loads import metadata

answers = sa.Table(
    "answers", metadata,
    sa.Column("question", sa.String, primary_key=True),
    sa.Column("answer", sa.String, nullable=False),     # an Arrow stream, compressed, as base64: text on every engine
)
LARGEST = 32 * 1024 * 1024
"""Bytes of one answer that is remembered: a list of a million studies is not."""
REMEMBERED = 128 * 1024 * 1024
"""Bytes of all answers that a reader remembers."""


def question_of(text: str, columns: Iterable[tuple[str, sa.ColumnElement[Any]]]) -> str:
    """Return the key of a read: what is asked, and what its columns are called and come back as."""
    shape = ";".join(f"{name}:{column.type!r}" for name, column in columns)
    return hashlib.sha256(f"{text}\n{shape}".encode()).hexdigest()


def written(table: pa.Table) -> str:
    """Write an answer as the text that a snapshot keeps."""
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as stream:
        stream.write_table(table)
    return base64.b64encode(out.getvalue()).decode("ascii")


def read_back(text: str) -> pa.Table:
    """Read an answer that `written` wrote."""
    return pa.ipc.open_stream(base64.b64decode(text)).read_all()


class Memory:
    """The latest answers of one snapshot, up to a number of bytes; threads may share it."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most, self._bytes = most, 0
        self._held: OrderedDict[str, pa.Table] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, question: str) -> pa.Table | None:
        """Return the answer to a question, ``None`` where it is not remembered."""
        with self._lock:
            if question in self._held:
                self._held.move_to_end(question)
            return self._held.get(question)

    def put(self, question: str, answer: pa.Table) -> None:
        """Remember an answer, and forget the oldest where there are too many; a very large one is not remembered."""
        if answer.nbytes > LARGEST:
            return
        with self._lock:
            if question in self._held:
                return
            self._held[question] = answer
            self._bytes += answer.nbytes
            while self._bytes > self._most:
                self._bytes -= self._held.popitem(last=False)[1].nbytes

    def __iter__(self) -> Any:
        with self._lock:
            return iter(list(self._held.items()))
