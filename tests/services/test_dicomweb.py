"""A real Orthanc by DICOMweb: every study that it holds is found, by ranges of dates and without one."""

from __future__ import annotations

import io

import pytest
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.settings import Settings
from analytics.sources.base import Known
from analytics.sources.dicomweb import DicomWeb
from analytics.sources.load import LoadRecord, load_source, open_source
from analytics.warehouse.schema import series, studies
from analytics.warehouse.store import Store
from tests.services.conftest import PLUGINS, Server, Starter
from tests.services.test_orthanc import delete, fill
from tests.sources.sites import IDS, dicom_dataset
from tests.support import need

pytestmark = pytest.mark.service("orthanc")


@pytest.fixture
def server(start_orthanc: Starter, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Server:
    """Give an Orthanc with its DICOMweb plugin, which answers as many studies as a test says."""
    found = [path for place in PLUGINS for path in sorted(place.glob("libOrthancDicomWeb.so*"))]
    plugin = need(str(found[0]) if found else None, "Orthanc's DICOMweb plugin", "apt-get install orthanc-dicomweb")
    server = start_orthanc(configuration={
        "Plugins": [plugin], "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        "LimitFindResults": getattr(request, "param", 0)})
    server.spec = f"dicomweb+http://test@127.0.0.1:{server.http_port}/dicom-web"
    monkeypatch.setenv("PACSMETER_PASSWORD_DICOMWEB", server.password)
    return server


def load(store: Store, server: Server, settings: Settings) -> LoadRecord:
    with store.draft() as draft:
        return load_source(draft, open_source(server.spec, settings))


def add(server: Server, patient: int, study: str, day: str, time: str = "100000") -> None:
    """Store a small image, a study of its own."""
    file = io.BytesIO()
    dicom_dataset(patient, StudyInstanceUID=study, SeriesInstanceUID=f"{study}.1", StudyDate=day, StudyTime=time,
                  SOPInstanceUID=f"{study}.1.{patient}").save_as(file, enforce_file_format=True)
    server.ask("/instances", file.getvalue())


def numbers(server: Server) -> dict[str, tuple[int, int]]:
    """Return series and instances of each study, by what Orthanc's own interface says of both its patients."""
    held: dict[str, tuple[int, int]] = {}
    for one in server.ask("/studies?expand"):
        about = server.ask(f"/studies/{one['ID']}/statistics")
        uid = one["MainDicomTags"]["StudyInstanceUID"]
        before = held.get(uid, (0, 0))
        held[uid] = before[0] + about["CountSeries"], before[1] + about["CountInstances"]
    return held


def compare(server: Server, store: Store) -> None:
    """Every study of Orthanc's own interface is there once, with its numbers."""
    warehouse, own = store.current(), server.ask("/statistics")
    assert warehouse.count(studies) == own["CountStudies"]
    assert warehouse.scalar(sa.select(sa.func.sum(studies.c.number_of_series))) == own["CountSeries"]
    assert warehouse.scalar(sa.select(sa.func.sum(studies.c.number_of_instances))) == own["CountInstances"]
    held: dict[str, tuple[int, int]] = {}
    for row in warehouse.arrow(sa.select(studies)).to_pylist():
        before = held.get(row["study_instance_uid"], (0, 0))
        held[row["study_instance_uid"]] = (before[0] + row["number_of_series"], before[1] + row["number_of_instances"])
    assert held == numbers(server)
    in_series = sa.select(series.c.study_instance_uid, sa.func.count().label("n")).group_by(series.c.study_instance_uid)
    counted = {row["study_instance_uid"]: row["n"] for row in warehouse.arrow(in_series).to_pylist()}
    assert counted.keys() == held.keys()


def test_every_study_of_real_files_is_found_and_a_deleted_one_goes(
        server: Server, settings: Settings, duck_store: Store) -> None:
    taken = fill(server)
    record = load(duck_store, server, settings)
    assert record.left_out == 0
    assert taken >= server.ask("/statistics")["CountInstances"]
    compare(server, duck_store)
    assert duck_store.current().count(series) == server.ask("/statistics")["CountSeries"]

    again = load(duck_store, server, settings)
    assert (again.added, again.changed, again.removed) == (0, 0, 0)

    delete(server, f"/studies/{server.ask('/studies')[0]}")
    assert load(duck_store, server, settings).by_table["studies"].removed == 1
    compare(server, duck_store)


@pytest.mark.parametrize("server", [20], indirect=True)
def test_an_orthanc_that_caps_its_answers_gives_every_study_of_a_crowded_day(
        server: Server, settings: Settings, duck_store: Store) -> None:
    for number in range(50):
        add(server, number % 3, f"1.9.{number}", "20260303", f"{number % 24:02}{number:02}00")
    for number in range(60, 90):
        add(server, number % 3, f"1.9.{number}", f"2025{number % 12 + 1:02}15")
    assert len(server.ask("/dicom-web/studies?StudyDate=20260303")) == 21, "one more than its limit, and no word"
    load(duck_store, server, settings)
    compare(server, duck_store)


def test_what_orthanc_does_otherwise(server: Server, settings: Settings, duck_store: Store) -> None:
    """A key that it does not know selects nothing, one UID has two patients, no size and no reception is said."""
    for patient in (0, 1):
        add(server, patient, "1.9.1", "20260303")
    add(server, 2, "1.9.2", "")
    add(server, 2, "1.9.3", "20990101")
    assert len(server.ask("/dicom-web/studies?NoSuchKey=1")) == 4
    record = load(duck_store, server, settings)
    assert (record.left_out, duck_store.current().count(studies), duck_store.current().count(series)) == (0, 4, 3)
    compare(server, duck_store)
    row = duck_store.current().arrow(sa.select(studies).where(studies.c.study_instance_uid == "1.9.2")).to_pylist()[0]
    assert (row["study_date"], row["size_bytes"], row["stored_at"], row["modality"], row["station_name"]) == (
        None, None, None, "CT", "CT1")
    source = open_source(server.spec, settings)
    assert isinstance(source, DicomWeb)
    assert sorted(one.patient_id for one in source.identities("1.9.1")) == sorted(IDS[:2])


def test_a_wrong_password_is_one_clear_line_without_it(
        server: Server, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACSMETER_PASSWORD_DICOMWEB", "not-to-be-shown")
    with pytest.raises(PacsmeterError, match="refuses the user") as caught:
        list(open_source(server.spec, settings).batches(Known(), lambda *_: None))
    assert "not-to-be-shown" not in str(caught.value)


def test_an_orthanc_without_the_plugin_is_one_clear_line(
        start_orthanc: Starter, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    server = start_orthanc()
    monkeypatch.setenv("PACSMETER_PASSWORD_DICOMWEB", server.password)
    with pytest.raises(PacsmeterError, match=r"no QIDO-RS there \(HTTP 404\)"):
        list(open_source(f"dicomweb+http://test@127.0.0.1:{server.http_port}/dicom-web", settings).batches(
            Known(), lambda *_: None))
