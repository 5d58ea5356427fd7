"""What the tests of C-FIND share: an archive to start, a source to read, studies that are known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from pydicom.dataset import Dataset

from analytics.core.pseudonym import Pseudonymizer
from analytics.core.settings import Settings
from analytics.sources.base import Batch, Known, KnownStudy, Part, Rejected
from analytics.sources.cfind import CFind
from analytics.sources.find_association import FindAssociation
from analytics.sources.find_node import Node, Timeouts
from analytics.sources.open import Options
from analytics.sources.patient import PatientEdge
from analytics.warehouse.schema import series, studies
from tests.sources.find_scp import FindScp, study

Start = Callable[..., FindScp]
SHORT = Timeouts(connection=2, association=0.5, answer=0.5, network=0.5)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analytics.sources.find_association.PAUSES", (0.001, 0.001))


@pytest.fixture
def start() -> Iterator[Start]:
    """Give a function that starts an archive."""
    running: list[FindScp] = []

    def started(*arguments: Any, **more: Any) -> FindScp:
        running.append(FindScp(*arguments, **more))
        return running[-1]

    yield started
    for one in running:
        one.stop()


@pytest.fixture
def options(settings: Settings) -> Options:
    edge = PatientEdge(Pseudonymizer.from_file(settings.pseudonym_key_file))
    return Options(edge, "Europe/Berlin", "archive", "North")


class Read:
    """What a source gave, all of it."""

    def __init__(self, source: CFind, known: Known | None = None) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {studies.name: [], series.name: []}
        self.rejected: list[Rejected] = []
        self.parts: list[Part] = []
        self.records = 0
        for item in source.batches(known or Known(), lambda *_: None):
            if isinstance(item, Part):
                self.parts.append(item)
                continue
            assert isinstance(item, Batch)
            assert item.rows.num_rows <= 20_000
            self.rows[item.table.name] += item.rows.to_pylist()
            self.rejected += item.rejected
            self.records += item.records_read
        self.notes = +source.coverage.notes
        self.complete = source.coverage.complete

    @property
    def uids(self) -> list[str]:
        return sorted(row["study_instance_uid"] for row in self.rows["studies"])


def days(number: int, first: str = "2026-03-01") -> list[Dataset]:
    """Return a study a day."""
    begin = date.fromisoformat(first)
    return [study(n, (begin + timedelta(days=n)).strftime("%Y%m%d")) for n in range(number)]


def with_timeouts(scp_port: int, options: Options, called: str = "ARCHIVE") -> CFind:
    return CFind(FindAssociation(Node("PACSMETER", called, "127.0.0.1", scp_port), SHORT), options)


@dataclass(frozen=True)
class Carried(KnownStudy):
    """A study as it stood, with what its series said of it."""

    modality: str | None = "CT"
    station_name: str | None = "CT1"
    manufacturer: str | None = "ACME"
    manufacturer_model_name: str | None = None
    body_part_examined: str | None = "HEAD"


class KnownAs(Known):
    """Studies with their numbers of series and instances."""

    made: Any = Carried

    def __init__(self, numbers: dict[str, tuple[int, int]]) -> None:
        super().__init__()
        self.numbers, self.marks = numbers, {"series read as": "Europe/Berlin from 0001-01-01"}

    def studies(self, first: date | None, last: date | None) -> dict[str, KnownStudy]:
        return {uid: self.made(uid, *numbers) for uid, numbers in self.numbers.items()} if first else {}
