"""An Orthanc archive, by its own database: every stored object, with sizes, transfer syntax and reception time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import sqlalchemy as sa

from analytics.core.database_url import parse_url
from analytics.core.errors import PacsmeterError
from analytics.core.progress import Progress
from analytics.core.secrets import with_password
from analytics.sources import dicom_values as dv
from analytics.sources.archive_database import read_only, reading_failed, shown
from analytics.sources.base import Batch, Coverage, Identity, Known
from analytics.sources.orthanc_index import read_instances, read_patients, read_totals
from analytics.sources.orthanc_sqlite import index_file, sqlite_index
from analytics.sources.patient import PatientEdge
from analytics.warehouse.engine import table_schema
from analytics.warehouse.schema import instances

if TYPE_CHECKING:
    from analytics.sources.open import Options

_AS_THEY_ARE = ("sop_instance_uid", "series_instance_uid", "study_instance_uid", "sop_class_uid", "modality",
                "transfer_syntax_uid", "station_name", "manufacturer", "series_description", "protocol_name",
                "body_part_examined", "accession_number", "institution_name", "study_description")
_OPENERS = "orthanc+sqlite:///path/index or orthanc+postgresql://user@host/database"


class Orthanc:
    """An Orthanc archive; see `analytics.sources.base.Source`.

    Parameters
    ----------
    location : str
        The URL, without a password.
    opened : callable
        Opens the index for the length of a block.
    edge : PatientEdge
    zone : str
        IANA zone of the times in the headers; reception times are in UTC.
    """

    kind = "orthanc"

    def __init__(self, source_id: str, location: str,
                 opened: Callable[[], contextlib.AbstractContextManager[sa.Connection]],
                 edge: PatientEdge, zone: str, site: str | None = None, is_demo: bool = False) -> None:
        self.source_id, self.location, self.site, self.is_demo = source_id, location, site, is_demo
        self.coverage = Coverage()
        self._opened, self._edge, self._zone = opened, edge, zone

    def batches(self, known: Known, progress: Progress) -> Iterator[Batch]:
        """Yield every stored object, after checking the archive's totals against its rows."""
        self.coverage = Coverage()
        try:
            with self._opened() as connection:
                yield from self._instances(connection, progress)
        except sa.exc.DBAPIError as error:
            raise reading_failed(error, "Orthanc", self.location, _OPENERS, "an index") from None
        self.coverage.complete |= {"studies", "series", "instances"}

    def identities(self, study_instance_uid: str) -> list[Identity]:
        """Return whom a study is of, as the index says now."""
        try:
            with self._opened() as connection:
                found = read_patients(connection, study_instance_uid)
        except sa.exc.DBAPIError as error:
            raise reading_failed(error, "Orthanc", self.location, _OPENERS, "an index") from None
        named = ([str(row[name] or "").strip("\x00 ") for name in ("patient_id", "patient_name", "patient_birth_date")]
                 for row in found)
        return [Identity(*values) for values in named]

    def _instances(self, connection: sa.Connection, progress: Progress) -> Iterator[Batch]:
        totals = read_totals(connection)
        expected, read, size = totals.resources["instances"], 0, 0
        schema = table_schema(instances)
        schema = schema.remove(schema.get_field_index("source_id"))
        for part in read_instances(connection):
            rows = [self._row(record) for record in part]
            read, size = read + len(rows), size + sum(row["size_bytes"] or 0 for row in rows)
            for row in rows:
                self.coverage.cover(row["study_date"], row["study_date"])
            yield Batch(instances, pa.RecordBatch.from_pylist(rows, schema=schema), records_read=len(rows))
            progress("reading Orthanc's index", read, expected)
        if read != expected:
            raise PacsmeterError(f"Orthanc's index holds {expected:,} instances, and {read:,} could be read",
                                 "Check the index with Orthanc: instances may have lost their series.", self.location)
        if size != totals.size_bytes:
            self.coverage.notes["bytes are attachments of patients, studies or series, which no study counts"] = (
                totals.size_bytes - size)
        self.coverage.own_studies = totals.resources["studies"], (
            "studies more in Orthanc's own count: their patients' IDs differ only in blanks or case, which are one "
            "patient here")

    def _row(self, record: dict[str, Any]) -> dict[str, Any]:
        """Make a row of ``instances`` from a record of the index; identities end here."""
        values = {name: "" if value is None else str(value).strip("\x00 ") for name, value in record.items()}
        row: dict[str, Any] = {name: values[name] or None for name in _AS_THEY_ARE}
        # Orthanc keeps an object without these UIDs, and counts its series and study: so are they counted here.
        row |= {name: values[name] for name in ("series_instance_uid", "study_instance_uid")}
        uuid, studied = values["uuid"], dv.date_of(values["study_date"])
        position = [dv.number_of(part) for part in values["image_position"].split("\\")]
        cosines = [dv.number_of(part) for part in values["image_orientation"].split("\\")]
        row |= {
            "path": f"{uuid[:2]}/{uuid[2:4]}/{uuid}" if uuid else "",
            **self._edge.columns(values["patient_id"], values["patient_name"], values["patient_birth_date"],
                                 values["patient_sex"], studied),
            "size_bytes": int(record["size_bytes"] or 0),
            "stored_at": _received(values["received"]),
            "study_date": studied,
            "study_at": dv.instant_of(values["study_date"], values["study_time"], "", self._zone),
            "series_at": dv.instant_of(values["series_date"], values["series_time"], "", self._zone),
        }
        for name in ("instance_number", "series_number", "number_of_frames"):
            number = dv.number_of(values[name])
            row[name] = int(number) if number is not None else None
        if len(position) == 3:
            row |= {f"image_position_{axis}": value for axis, value in zip("xyz", position, strict=True)}
        if len(cosines) == 6 and None not in cosines:
            row["image_orientation"] = "\\".join(f"{cosine + 0.0:.4f}" for cosine in cosines if cosine is not None)
        return row


def _received(text: str) -> datetime | None:
    """Return a ReceptionDate, which Orthanc writes in UTC whatever the server's zone is."""
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def open_orthanc(named: str, options: Options) -> Orthanc:
    """Open the archive that a URL names.

    Parameters
    ----------
    named : str
        ``orthanc+sqlite:///path/index`` or ``orthanc+postgresql://user@host/database``; a password that is not in
        the URL is found by `analytics.core.secrets`, or taken from ``PGPASSWORD`` or ``~/.pgpass``.
    options : Options

    Raises
    ------
    PacsmeterError
        It names neither, or no index is there.
    """
    source_id, about = options.source_id or "orthanc", (options.edge, options.zone, options.site, options.is_demo)
    if named.startswith("orthanc+sqlite://"):
        path = index_file(named)
        return Orthanc(source_id, f"orthanc+sqlite://{path}", lambda: sqlite_index(path), *about)
    url = parse_url(named.removeprefix("orthanc+"), "the URL of Orthanc's database")
    url = with_password(url, source_id, options.password)
    location = shown(url, "orthanc")
    return Orthanc(source_id, location, lambda: read_only(url, "Orthanc", location), *about)
