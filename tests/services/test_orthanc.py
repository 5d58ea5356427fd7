"""A real Orthanc: what pacsmeter reads from its database is what Orthanc itself reports."""

from __future__ import annotations

import datetime as dt
import shutil
import socket
import subprocess
from pathlib import Path

import pydicom.data
import pytest
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.settings import Settings
from analytics.sources.base import Known
from analytics.sources.load import LoadRecord, load_source, open_source
from analytics.warehouse.merge import Counts
from analytics.warehouse.schema import instances, series, studies
from analytics.warehouse.store import Store, Warehouse
from tests.services.conftest import Server, Starter
from tests.support import SHARED_DICOM, need, which

pytestmark = pytest.mark.service("orthanc")


SAME_PATIENT = ("rtdose_rle.dcm", "rtdose_rle_1frame.dcm")
"""Their PatientID ends in a blank, which DICOM says is nothing (PS3.5 6.2); Orthanc strips it from rtdose.dcm and not
from these, and so takes one patient for two: a test of its own loads both."""


def real_files() -> list[Path]:
    """Return files of many kinds that ship with pydicom, and some of a real series where one is beside the checkout."""
    shipped = Path(pydicom.data.__file__).parent / "test_files"
    found = [path for path in sorted(shipped.glob("*.dcm")) if path.stat().st_size < 200_000]
    found += sorted((shipped / "dicomdirtests").rglob("*"))[:60]
    if SHARED_DICOM.is_dir():
        found += [path for path in sorted(SHARED_DICOM.rglob("*")) if path.is_file()][::40]
    return [path for path in found if path.is_file() and path.name not in ("DICOMDIR", *SAME_PATIENT)]


def fill(server: Server) -> int:
    """Store real files over the network; return how many Orthanc took."""
    taken = sum(server.store(path) for path in real_files())
    assert taken > 60, "Orthanc takes nearly all of them"
    return taken


def load(store: Store, spec: str, settings: Settings) -> LoadRecord:
    with store.draft() as draft:
        return load_source(draft, open_source(spec, settings, site="North"))


def compare(server: Server, warehouse: Warehouse) -> None:
    """Counts and bytes equal Orthanc's own, over all and for each study."""
    own = server.ask("/statistics")
    assert warehouse.scalar(sa.select(sa.func.sum(studies.c.size_bytes))) == int(own["TotalDiskSize"])
    assert warehouse.count(instances) == own["CountInstances"]
    assert warehouse.scalar(sa.select(sa.func.sum(studies.c.number_of_series))) == own["CountSeries"]
    listed_series = {(one["MainDicomTags"]["SeriesInstanceUID"], server.ask(f"/series/{one['ID']}/study")
                      ["MainDicomTags"]["StudyInstanceUID"]) for one in server.ask("/series?expand")}
    assert warehouse.count(series) == len(listed_series), "a series that two patients share has one row"
    assert warehouse.count(studies) == own["CountStudies"]
    patients = sa.select(sa.func.count(sa.distinct(studies.c.patient_key)))
    assert warehouse.scalar(patients) == own["CountPatients"]
    listed = {}
    for study in server.ask("/studies?expand"):
        about = server.ask(f"/studies/{study['ID']}/statistics")
        key = study["MainDicomTags"]["StudyInstanceUID"], bool(study["PatientMainDicomTags"].get("PatientID"))
        held = listed.get(key, (0, 0, 0))
        listed[key] = (held[0] + about["CountSeries"], held[1] + about["CountInstances"],
                       held[2] + int(about["DiskSize"]))
    read = {}
    for row in warehouse.arrow(sa.select(studies)).to_pylist():
        key = row["study_instance_uid"], row["patient_key"] != ""
        held = read.get(key, (0, 0, 0))
        read[key] = (held[0] + row["number_of_series"], held[1] + row["number_of_instances"],
                     held[2] + row["size_bytes"])
    assert read == listed


def check_details(server: Server, warehouse: Warehouse) -> None:
    """Reception time, transfer syntax and modality are as Orthanc says, whatever the server's zone."""
    rows = {row["sop_instance_uid"]: row for row in warehouse.arrow(sa.select(instances)).to_pylist()}
    for instance in server.ask("/instances?expand")[:20]:
        row = rows[instance["MainDicomTags"]["SOPInstanceUID"]]
        metadata = server.ask(f"/instances/{instance['ID']}/metadata?expand")
        assert row["transfer_syntax_uid"] == metadata["TransferSyntax"]
        assert row["stored_at"].strftime("%Y%m%dT%H%M%S") == metadata["ReceptionDate"]
        assert abs(dt.datetime.now(dt.UTC) - row["stored_at"]) < dt.timedelta(minutes=15), "reception is in UTC"
    sites = warehouse.arrow(sa.select(studies.c.site).distinct()).column(0).to_pylist()
    assert sites == ["North"]


def test_sqlite_while_orthanc_runs_and_after(start_orthanc: Starter, duck_store: Store, settings: Settings) -> None:
    server = start_orthanc(zone="Asia/Tokyo")
    taken = fill(server)
    record = load(duck_store, server.spec, settings)
    assert record.read <= taken
    compare(server, duck_store.current())
    check_details(server, duck_store.current())
    server.stop()
    again = load(duck_store, server.spec, settings)
    assert (again.added, again.changed, again.removed, again.read) == (0, 0, 0, record.read)


def test_postgresql(start_orthanc: Starter, postgres_url: str, duck_store: Store, settings: Settings) -> None:
    server = start_orthanc(postgres_url)
    fill(server)
    load(duck_store, server.spec, settings)
    compare(server, duck_store.current())
    check_details(server, duck_store.current())

    study = server.ask("/studies")[0]
    number = server.ask(f"/studies/{study}/statistics")["CountInstances"]
    delete(server, f"/studies/{study}")
    record = load(duck_store, server.spec, settings)
    assert record.by_table["instances"].removed == number
    assert record.by_table["studies"] == Counts(removed=1, unchanged=duck_store.current().count(studies))
    compare(server, duck_store.current())


def delete(server: Server, path: str) -> None:
    curl = need(which("curl"), "curl", "apt-get install curl")
    # On PostgreSQL under load it answers 503: curl asks again.
    subprocess.run([curl, "-sf", "--retry", "5", "-u", f"test:{server.password}", "-X", "DELETE",
                    f"http://127.0.0.1:{server.http_port}{path}"], check=True, capture_output=True)


def test_images_sent_by_a_modality_are_counted(start_orthanc: Starter, duck_store: Store, settings: Settings) -> None:
    storescu = need(which("storescu"), "storescu", "apt-get install dcmtk")
    server = start_orthanc()
    sent = [Path(pydicom.data.__file__).parent / "test_files" / name for name in ("CT_small.dcm", "MR_small.dcm")]
    subprocess.run([storescu, "-aec", "ORTHANC", "127.0.0.1", str(server.dicom_port), *map(str, sent)], check=True)
    load(duck_store, server.spec, settings)
    assert duck_store.current().count(instances) == 2
    compare(server, duck_store.current())


def test_patient_ids_that_differ_in_a_blank_are_one_patient_and_it_is_said(
        start_orthanc: Starter, duck_store: Store, settings: Settings) -> None:
    server = start_orthanc()
    shipped = Path(pydicom.data.__file__).parent / "test_files"
    for name in ("rtdose.dcm", SAME_PATIENT[0]):
        assert server.store(shipped / name)
    assert server.ask("/statistics")["CountStudies"] == 2
    record = load(duck_store, server.spec, settings)
    assert duck_store.current().count(studies) == 1
    assert "1 studies more in Orthanc's own count" in record.message


def test_the_index_of_a_running_orthanc_is_locked_and_a_copy_is_read(
        start_orthanc: Starter, duck_store: Store, settings: Settings, tmp_path: Path) -> None:
    server = start_orthanc()
    assert server.store(real_files()[0])
    index = Path(server.spec.removeprefix("orthanc+sqlite://"))
    locked = sa.create_engine(f"sqlite:///file:{index}?mode=ro&uri=true")
    with pytest.raises(sa.exc.OperationalError, match="locked"), locked.connect() as connection:
        connection.execute(sa.text("SELECT count(*) FROM Resources")).all()
    locked.dispose()
    assert load(duck_store, server.spec, settings).read == 1
    copied = tmp_path / "copied"
    copied.mkdir()
    server.stop()
    shutil.copy(index, copied / "index")
    assert load(duck_store, f"orthanc+sqlite://{copied}", settings).read == 1


def test_the_server_of_the_tests_is_not_open_to_others(start_orthanc: Starter) -> None:
    server = start_orthanc()
    others = {address[4][0] for address in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in others - {"127.0.0.1", "127.0.1.1"}:
        for port in (server.http_port, server.dicom_port):
            with pytest.raises(OSError, match="refused"):
                socket.create_connection((address, port), timeout=5).close()


def test_a_wrong_password_is_one_clear_line_without_it(postgres_url: str, settings: Settings) -> None:
    url = sa.make_url(postgres_url).set(drivername="postgresql", password="not-to-be-shown", database="nothing-there")
    source = open_source(f"orthanc+{url.render_as_string(hide_password=False)}", settings)
    with pytest.raises(PacsmeterError, match="cannot be reached") as caught:
        list(source.batches(Known(), lambda *_: None))
    assert "not-to-be-shown" not in f"{caught.value} {source.location}"


def test_a_database_that_is_no_orthanc_is_refused(postgres_url: str, settings: Settings) -> None:
    url = sa.make_url(postgres_url).set(drivername="postgresql")
    source = open_source(f"orthanc+{url.render_as_string(hide_password=False)}", settings)
    with pytest.raises(PacsmeterError, match="not an index of Orthanc"):
        list(source.batches(Known(), lambda *_: None))


