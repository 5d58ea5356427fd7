"""One case for each kind of source: how it is made in any size, and what just reading it is."""

from __future__ import annotations

import contextlib
import csv
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks import dcm4chee_database, dicom_files, fhir_resources, hl7_messages, orthanc_index, sole_reports
from benchmarks.qido_server import DAYS, FIRST

PYTHON = sys.executable
STUDIES_ALONE = {"PACSMETER_BENCH_SERIES": "no"}


@dataclass(frozen=True)
class Prepared:
    """A source that is there: what loads it, what just reads it, and what that reading is."""

    spec: str
    plain: list[str]
    what: str
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """How a kind of source is made."""

    prepared: Callable[[Path, int], contextlib.AbstractContextManager[Prepared]]


CASES: dict[str, Case] = {}


def case(kind: str) -> Callable[[Callable[[Path, int], Iterator[Prepared]]], None]:
    """Declare the case of a kind."""
    def declare(made: Callable[[Path, int], Iterator[Prepared]]) -> None:
        CASES[kind] = Case(contextlib.contextmanager(made))
    return declare


def _reading(*arguments: str) -> list[str]:
    return [PYTHON, "-m", "benchmarks.source_read", *arguments]


@contextlib.contextmanager
def _postgres() -> Iterator[str]:
    """Start a PostgreSQL of the benchmark's own on loopback."""
    from tests.conftest import postgres_server
    made = postgres_server.__wrapped__()  # type: ignore[attr-defined]
    try:
        yield next(made)
    finally:
        with contextlib.suppress(StopIteration):
            next(made)


@contextlib.contextmanager
def _server(module: str, studies: int) -> Iterator[int]:
    """Start a server of the benchmark's own on loopback; give its port."""
    with subprocess.Popen([PYTHON, "-m", f"benchmarks.{module}", str(studies)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


EXPORT = """
source_id = "bench"
kind = "index_export"
zone = "UTC"
[tables.studies]
file = "studies.csv"
complete = true
date_format = "%Y%m%d"
[tables.studies.columns]
study_instance_uid = "UID"
patient_id = "PID"
patient_name = "NAME"
patient_birth_date = "BORN"
study_at = "AT"
accession_number = "ACC"
modality = "MODALITY"
size_bytes = "SIZE"
[tables.studies.constants]
site = "North"
"""


@case("index_export")
def _export(folder: Path, studies: int) -> Iterator[Prepared]:
    (folder / "bench.toml").write_text(EXPORT)
    with (folder / "studies.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["UID", "PID", "NAME", "BORN", "AT", "ACC", "MODALITY", "SIZE"])
        start = datetime(FIRST.year, FIRST.month, FIRST.day)  # noqa: DTZ001 - as an export writes it
        writer.writerows((f"1.2.826.{n}", f"ID{n // 3}", f"NAME{n // 3}^GIVEN", "19600101",
                          start + timedelta(minutes=n * DAYS * 1440 / studies), f"A{n}", "CT", 1_000_000 + n)
                         for n in range(studies))
    yield Prepared(str(folder / "bench.toml"), _reading("files", str(folder)), "its bytes")


@case("dicom_folder")
def _folder(folder: Path, studies: int) -> Iterator[Prepared]:
    dicom_files.write(folder / "files", studies)
    yield Prepared(str(folder / "files"), _reading("files", str(folder / "files")), "every file's bytes")


@case("orthanc+sqlite")
def _orthanc_sqlite(folder: Path, studies: int) -> Iterator[Prepared]:
    orthanc_index.fill_sqlite(folder / "index", studies)
    yield Prepared(f"orthanc+sqlite://{folder / 'index'}", _reading("sqlite", str(folder / "index")), "the same tables")


@case("orthanc+postgresql")
def _orthanc_postgres(folder: Path, studies: int) -> Iterator[Prepared]:
    with _postgres() as url:
        orthanc_index.fill_postgres(url, studies)
        yield Prepared(f"orthanc+{url.replace('+psycopg', '')}", _reading("postgres", url, *orthanc_index.READ),
                       "the same tables")


DCM4CHEE_TABLES = (
    "SELECT * FROM study", "SELECT * FROM series", "SELECT * FROM patient", "SELECT * FROM patient_id",
    "SELECT * FROM person_name", "SELECT * FROM dicomattrs", "SELECT * FROM mpps", "SELECT pk, series_fk FROM instance",
    "SELECT instance_fk, storage_id, object_size FROM location")


@case("dcm4chee")
def _dcm4chee(folder: Path, studies: int) -> Iterator[Prepared]:
    with _postgres() as url:
        dcm4chee_database.fill(url, studies)
        yield Prepared(f"dcm4chee+{url.replace('+psycopg', '')}", _reading("postgres", url, *DCM4CHEE_TABLES),
                       "the same tables")


@case("orthanc_rest")
def _orthanc_rest(folder: Path, studies: int) -> Iterator[Prepared]:
    with _server("orthanc_server", studies) as port:
        yield Prepared(f"orthanc+http://127.0.0.1:{port}", _reading("orthanc", str(port), str(studies)),
                       "the same answers")


@case("dicomweb")
def _dicomweb(folder: Path, studies: int) -> Iterator[Prepared]:
    with _server("qido_server", studies) as port:
        yield Prepared(f"dicomweb+http://127.0.0.1:{port}/dicom-web", _reading("qido", str(port)),
                       "the studies of each day", STUDIES_ALONE)


@case("dicomweb with series")
def _dicomweb_series(folder: Path, studies: int) -> Iterator[Prepared]:
    with _server("qido_server", studies) as port:
        yield Prepared(f"dicomweb+http://127.0.0.1:{port}/dicom-web", _reading("qido", str(port), str(studies)),
                       "the studies of each day and the series of each study")


@case("cfind")
def _cfind(folder: Path, studies: int) -> Iterator[Prepared]:
    with _server("find_server", studies) as port:
        yield Prepared(f"cfind://PACSMETER@127.0.0.1:{port}/BENCH", _findscu(port),
                       "DCMTK's findscu, all in one answer", STUDIES_ALONE)


def _findscu(port: int) -> list[str]:
    findscu = shutil.which("findscu")
    if not findscu:
        raise SystemExit("findscu is not installed; install it with: apt-get install dcmtk")
    keys = ("QueryRetrieveLevel=STUDY", "StudyInstanceUID", "StudyDate", "StudyTime", "AccessionNumber", "PatientID",
            "PatientName", "PatientBirthDate", "PatientSex", "ModalitiesInStudy", "StudyDescription",
            "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances")
    asked = (word for key in keys for word in ("-k", key))
    return [findscu, "-q", "-S", "-aec", "BENCH", *asked, "127.0.0.1", str(port)]


def _messages(kind: str, write: Callable[[Path, int], object]) -> None:
    @case(kind)
    def _made(folder: Path, studies: int) -> Iterator[Prepared]:
        (folder / "in").mkdir()
        write(folder / "in", studies)
        yield Prepared(f"{kind}://{folder / 'in'}", _reading("files", str(folder / "in")), "every file's bytes")


_messages("hl7", hl7_messages.write)
_messages("fhir", fhir_resources.write)
_messages("sole", sole_reports.write)
