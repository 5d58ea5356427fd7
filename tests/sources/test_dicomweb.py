"""A DICOMweb server, however it caps its answers and whatever it takes no notice of: every study is found."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from analytics.core.secrets import Credentials
from analytics.core.settings import Settings
from analytics.sources import qido_server
from analytics.sources.base import Known, Part
from analytics.sources.crawl import UNDATED_NOT_ASKED
from analytics.sources.dicomweb import DicomWeb
from analytics.sources.load import open_source
from analytics.warehouse.schema import covered_parts, series, studies
from analytics.warehouse.store import Store
from tests.sources import dicomweb_hospital
from tests.sources.dicomweb_hospital import CROWDED, add, held_by, hospital, load, uids
from tests.sources.qido_server import Qido, serving
from tests.sources.sites import BORN, IDS, NAMES

patience = dicomweb_hospital.patience

SERVERS: dict[str, dict[str, Any]] = {
    "caps its answers at 100": {"cap": 100}, "ignores offset": {"ignores": frozenset({"offset"})},
    "caps its answers at 100 and ignores offset": {"cap": 100, "ignores": frozenset({"offset"})},
    "says that there is more": {"cap": 100, "warns": True},
    "ignores limit": {"ignores": frozenset({"limit"})},
    "caps its answers at 60 and ignores offset and limit": {"cap": 60, "ignores": frozenset({"offset", "limit"})},
    "gives every study twice": {"times": 2}}


@pytest.mark.parametrize("server", SERVERS)
def test_a_qido_server_that_caps_its_answers_at_100_and_one_that_ignores_offset_still_give_every_study(
        server: str, duck_store: Store, settings: Settings) -> None:
    qido = hospital()
    for name, value in SERVERS[server].items():
        setattr(qido, name, value)
    with serving(qido):
        record = load(duck_store, qido, settings)
    warehouse = duck_store.current()
    assert uids(warehouse) == held_by(qido)
    assert warehouse.count(series) == 2 * len(qido.studies)
    assert (record.left_out, record.by_table["studies"].added) == (0, 330)
    on_the_day = sa.select(sa.func.count()).select_from(studies).where(studies.c.study_date == CROWDED)
    assert warehouse.scalar(on_the_day) >= 130


def test_what_was_covered_is_written_down(duck_store: Store, settings: Settings) -> None:
    qido = hospital()
    with serving(qido):
        load(duck_store, qido, settings)
    parts = duck_store.current().arrow(sa.select(covered_parts)).to_pylist()
    dated = sorted((one["covered_from"], one["covered_to"]) for one in parts if one["covered_from"])
    assert all(after[0] == before[1] + timedelta(days=1) for before, after in itertools.pairwise(dated))
    assert (dated[0][0], dated[-1][1]) == (date(1900, 1, 1), date(9999, 12, 31))
    assert sum(one["records"] for one in parts) == len(qido.studies)


def test_a_dcm4chee_archive_is_asked_for_all_it_has(settings: Settings) -> None:
    with serving(Qido()) as qido:
        spec = qido.spec.replace("dicom-web", "dcm4chee-arc/aets/DCM4CHEE/rs")
        list(open_source(spec, settings).batches(Known(), lambda *_: None))
    assert all("includefield=all" in path for path in qido.asked)


def test_a_server_that_fails_on_wide_ranges_is_asked_for_narrower_ones(duck_store: Store, settings: Settings) -> None:
    qido = hospital(60, 0)
    qido.fails = r"StudyDate=\d{4}0101-\d{4}(1231|11..)|studies\?(?!.*StudyDate=)"
    with serving(qido):
        record = load(duck_store, qido, settings, since=date(2024, 1, 1))
    assert uids(duck_store.current()) == held_by(qido)
    assert "narrower ones were asked" in record.message
    assert UNDATED_NOT_ASKED.split(":")[0] in record.message


def test_an_answer_too_long_to_read_is_asked_for_in_narrower_ranges(
        duck_store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qido_server, "MOST_BYTES", 40_000)
    qido = hospital(300, 0)
    qido.ignores = frozenset({"limit", "offset"})
    with serving(qido):
        server = qido_server.QidoServer(qido.spec.removeprefix("dicomweb+"), qido.spec, "dicomweb", Credentials())
        assert server.studies({}, (), "all studies") == qido_server.Answered([], incomplete=True)
        server.close()
        load(duck_store, qido, settings)
    assert uids(duck_store.current()) == held_by(qido)


def test_parts_name_the_dates_they_cover(settings: Settings) -> None:
    qido = hospital(150, 0)
    with serving(qido):
        parts = [one for one in open_source(qido.spec, settings).batches(Known(), lambda *_: None)
                 if isinstance(one, Part)]
    assert all(one.name == f"studies {one.first}..{one.last}" for one in parts[:-2])
    assert len({one.name for one in parts}) == len(parts)


def test_since_when_is_asked_for(duck_store: Store, settings: Settings) -> None:
    qido = hospital()
    with serving(qido):
        load(duck_store, qido, settings, since=date(2026, 1, 1))
    first = duck_store.current().scalar(sa.select(sa.func.min(studies.c.study_date)))
    assert first >= date(2026, 1, 1)


def test_who_a_patient_is_is_asked_of_the_server(settings: Settings) -> None:
    qido = hospital(5, 0)
    add(qido, 800, StudyDate="20260701", PatientID=IDS[0], PatientName=NAMES[0], PatientBirthDate=BORN[0])
    with serving(qido):
        source = open_source(qido.spec, settings)
        assert isinstance(source, DicomWeb)
        (found,) = source.identities("1.2.800")
        assert (found.patient_id, found.patient_name, found.patient_birth_date) == (IDS[0], NAMES[0], BORN[0])
        assert source.identities("1.2.not-there") == []
