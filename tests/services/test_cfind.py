"""A real Orthanc, asked by C-FIND: every study that it holds is found, also where it cuts its answers short."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.settings import Settings
from analytics.sources.base import Known
from analytics.sources.cfind import UNDATED_UNPROVEN
from analytics.sources.load import load_source, open_source
from analytics.warehouse.schema import loads, quarantine, series, studies
from analytics.warehouse.store import Store, Warehouse
from tests.services.conftest import Server, Starter
from tests.services.test_orthanc import fill

pytestmark = pytest.mark.service("orthanc")

ANSWERS = {"DicomAlwaysAllowFind": True}


def load(store: Store, server: Server, settings: Settings) -> Warehouse:
    source = open_source(f"cfind://PACSMETER@127.0.0.1:{server.dicom_port}/ORTHANC", settings)
    with store.draft() as draft:
        load_source(draft, source)
    return store.current()


def own_studies(server: Server) -> dict[str, tuple[int, int]]:
    """Return the numbers of series and instances of each study, by Orthanc's own count."""
    held: dict[str, tuple[int, int]] = {}
    for study in server.ask("/studies?expand"):
        about = server.ask(f"/studies/{study['ID']}/statistics")
        before = held.get(study["MainDicomTags"]["StudyInstanceUID"], (0, 0))
        held[study["MainDicomTags"]["StudyInstanceUID"]] = (
            before[0] + about["CountSeries"], before[1] + about["CountInstances"])
    return held


def compare(server: Server, warehouse: Warehouse) -> None:
    """Counts equal Orthanc's own, over all and for each study that can be asked for by a UID."""
    own, listed = server.ask("/statistics"), own_studies(server)
    rows = warehouse.arrow(sa.select(studies)).to_pylist()
    read: dict[str, tuple[int, int]] = {}
    for row in rows:
        before = read.get(row["study_instance_uid"], (0, 0))
        read[row["study_instance_uid"]] = (before[0] + row["number_of_series"], before[1] + row["number_of_instances"])
    assert read == {uid: numbers for uid, numbers in listed.items() if uid}
    assert len(rows) + warehouse.count(quarantine) == own["CountStudies"]
    nameless = listed.get("", (0, 0))
    assert sum(series_ for series_, _ in read.values()) + nameless[0] == own["CountSeries"]
    assert sum(instances for _, instances in read.values()) + nameless[1] == own["CountInstances"]


def series_listed(server: Server) -> set[tuple[str, str]]:
    listed = {(one["MainDicomTags"].get("SeriesInstanceUID", ""),
               server.ask(f"/series/{one['ID']}/study")["MainDicomTags"].get("StudyInstanceUID", ""))
              for one in server.ask("/series?expand")}
    return {pair for pair in listed if all(pair)}


def series_read(warehouse: Warehouse) -> set[tuple[str, str]]:
    rows = warehouse.arrow(sa.select(series.c.series_instance_uid, series.c.study_instance_uid)).to_pylist()
    return {(row["series_instance_uid"], row["study_instance_uid"]) for row in rows}


def message(warehouse: Warehouse) -> str:
    return str(warehouse.arrow(sa.select(loads.c.message)).to_pylist()[0]["message"])


def test_every_study_and_series_of_a_real_orthanc_is_found(
        start_orthanc: Starter, duck_store: Store, settings: Settings) -> None:
    server = start_orthanc(configuration=ANSWERS)
    fill(server)
    warehouse = load(duck_store, server, settings)
    compare(server, warehouse)
    assert series_read(warehouse) == series_listed(server)


def test_an_orthanc_that_answers_five_at_most_hides_no_study(
        start_orthanc: Starter, duck_store: Store, settings: Settings) -> None:
    server = start_orthanc(configuration={**ANSWERS, "LimitFindResults": 5})
    fill(server)
    warehouse = load(duck_store, server, settings)
    compare(server, warehouse)
    assert series_read(warehouse) == series_listed(server)
    assert UNDATED_UNPROVEN in message(warehouse)


def test_an_orthanc_that_does_not_know_us_is_one_clear_line(start_orthanc: Starter, settings: Settings) -> None:
    server = start_orthanc()
    source = open_source(f"cfind://PACSMETER@127.0.0.1:{server.dicom_port}/ORTHANC", settings)
    with pytest.raises(PacsmeterError, match="allow queries by PACSMETER from the address of this computer"):
        list(source.batches(Known(), lambda *_: None))


def test_an_orthanc_that_is_called_by_another_name_says_so(start_orthanc: Starter, settings: Settings) -> None:
    server = start_orthanc(configuration={**ANSWERS, "DicomCheckCalledAet": True})
    source = open_source(f"cfind://PACSMETER@127.0.0.1:{server.dicom_port}/OTHER", settings)
    with pytest.raises(PacsmeterError, match="called AE title not recognized"):
        list(source.batches(Known(), lambda *_: None))
