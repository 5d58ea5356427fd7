"""The ids of all studies of an Orthanc, small enough in memory for millions: 20 bytes each, by their first byte."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

BYTES = 20
PREFIXES = 256
_PER_PART = 2_000
UNKNOWN = -1

Counted = tuple[int, int]


def public_id(packed: bytes) -> str:
    """Write an id of 20 bytes as Orthanc does: five groups of eight hexadecimal digits."""
    return packed.hex("-", -4)


def packed_id(written: object) -> bytes | None:
    """Return a public id as 20 bytes; nothing where it is none."""
    try:
        packed = bytes.fromhex(str(written).replace("-", ""))
    except ValueError:
        return None
    return packed if len(packed) == BYTES else None


class Studies:
    """Every study that an Orthanc listed, with the series and images that the last load counted in it.

    Parameters
    ----------
    ids : iterable of bytes
        Public ids as 20 bytes, in any order; one that comes again counts once.
    """

    def __init__(self, ids: Iterable[bytes] = ()) -> None:
        found = [bytearray() for _ in range(PREFIXES)]
        for one in ids:
            found[one[0]] += one
        self._ids = [b"".join(sorted({bytes(some[at:at + BYTES]) for at in range(0, len(some), BYTES)}))
                     for some in found]
        self._counts: list[npt.NDArray[np.int32]] = [
            np.full((len(some) // BYTES, 2), UNKNOWN, np.int32) for some in self._ids]

    def __len__(self) -> int:
        return sum(len(some) for some in self._ids) // BYTES

    def __contains__(self, one: bytes) -> bool:
        return self._position(one) is not None

    def _position(self, one: bytes) -> int | None:
        some = self._ids[one[0]]
        ids = range(len(some) // BYTES)
        at = bisect_left(ids, one, key=lambda n: some[n * BYTES:(n + 1) * BYTES])
        return at if at < len(ids) and some[at * BYTES:(at + 1) * BYTES] == one else None

    def of(self, first: int, last: int) -> Iterator[bytes]:
        """Yield the ids whose first byte is in a range, both ends inclusive, in order."""
        for some in self._ids[first:last + 1]:
            for at in range(0, len(some), BYTES):
                yield some[at:at + BYTES]

    def chunks(self, first: int, last: int, size: int) -> Iterator[list[bytes]]:
        """Yield the ids of a range, some at a time."""
        held: list[bytes] = []
        for one in self.of(first, last):
            held.append(one)
            if len(held) == size:
                yield held
                held = []
        if held:
            yield held

    def count(self, one: bytes) -> Counted | None:
        """Return the series and images that the last load counted in a study; nothing where it is not known."""
        at = self._position(one)
        if at is None or self._counts[one[0]][at][0] == UNKNOWN:
            return None
        return int(self._counts[one[0]][at][0]), int(self._counts[one[0]][at][1])

    def set_count(self, one: bytes, counted: Counted) -> None:
        """Remember what the last load counted in a study."""
        at = self._position(one)
        if at is not None:
            self._counts[one[0]][at] = counted

    def unknown(self) -> Iterator[bytes]:
        """Yield the ids that no load knows."""
        for some, counts in zip(self._ids, self._counts, strict=True):
            for at in np.flatnonzero(counts[:, 0] == UNKNOWN):
                yield some[at * BYTES:(at + 1) * BYTES]

    @property
    def known_total(self) -> tuple[int, int, int]:
        """Studies that are known, with their series and images, summed up."""
        held = [counts[counts[:, 0] != UNKNOWN].astype(np.int64) for counts in self._counts]
        return (sum(len(one) for one in held), sum(int(one[:, 0].sum()) for one in held),
                sum(int(one[:, 1].sum()) for one in held))

    def ranges(self, start: int) -> list[tuple[int, int]]:
        """Split what begins at a first byte into ranges of first bytes, each of some 2,000 studies."""
        step = 1
        while step < PREFIXES and step * 2 * len(self) <= PREFIXES * _PER_PART:
            step *= 2
        return [(first, min(first // step * step + step, PREFIXES) - 1)
                for first in (start, *range((start // step + 1) * step, PREFIXES, step)) if first < PREFIXES]
