"""The files of the export and the source files that say how to read them."""

from __future__ import annotations

import gzip
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from analytics.demo import plan
from analytics.demo.columns import CLASS_WORDS, PRIORITY_WORDS, RIS_EVENTS, TIER_WORDS
from analytics.demo.scanner_log import EVENTS as LOG_EVENTS

STUDY_COLUMNS = {
    "study_instance_uid": "STUDY_UID", "patient_id": "PAT_ID", "patient_name": "PAT_NAME",
    "patient_birth_date": "DOB", "patient_sex": "SEX", "patient_age_years": "AGE_Y", "accession_number": "ACC_NO",
    "site": "HOSPITAL", "institution_name": "INSTITUTION", "station_name": "STATION", "manufacturer": "MAKER",
    "manufacturer_model_name": "MODEL", "modality": "MODALITY", "modalities_in_study": "MODALITIES",
    "study_description": "DESCRIPTION", "body_part_examined": "BODY_PART", "study_date": "STUDY_DATE",
    "study_at": "STUDY_DT", "number_of_series": "N_SERIES", "number_of_instances": "N_IMAGES",
    "size_bytes": "SIZE_KB", "transfer_syntax_uid": "TS_UID", "stored_at": "RECEIVED",
    "last_accessed_at": "LAST_READ", "storage_tier": "TIER",
}
SERIES_COLUMNS = {
    "series_instance_uid": "SERIES_UID", "study_instance_uid": "STUDY_UID", "modality": "MODALITY",
    "station_name": "STATION", "manufacturer": "MAKER", "manufacturer_model_name": "MODEL",
    "series_number": "SERIES_NO", "series_description": "DESCRIPTION", "protocol_name": "PROTOCOL",
    "body_part_examined": "BODY_PART", "laterality": "LATERALITY", "series_at": "SERIES_DT",
    "number_of_instances": "N_IMAGES", "size_bytes": "SIZE_KB", "transfer_syntax_uid": "TS_UID",
    "stored_at": "RECEIVED",
}
ARCHIVE_COLUMNS = {
    "archive": "ARCHIVE", "site": "HOSPITAL", "storage_tier": "TIER", "capacity_bytes": "CAPACITY_B",
    "used_bytes_before": "USED_BEFORE_B", "in_service_date": "IN_SERVICE",
}
ORDER_COLUMNS = {
    "accession_number": "ACC_NO", "patient_id": "PAT_ID", "patient_name": "PAT_NAME", "patient_birth_date": "DOB",
    "patient_sex": "SEX", "site": "HOSPITAL", "modality": "EXAM_TYPE", "station_name": "ROOM",
    "priority": "URGENCY", "patient_class": "PAT_CLASS", "procedure_code": "PROC_CODE",
    "procedure_description": "PROC_NAME",
}
_INSTANT, _DATE = "%Y-%m-%d %H:%M:%S", "%Y%m%d"


class Writer:
    """Appends tables to one file: ``.parquet``, ``.csv`` or ``.csv.gz``; the same tables give the same bytes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: list[IO[bytes]] = []
        self._writer: pq.ParquetWriter | pa_csv.CSVWriter | None = None
        self.rows = 0

    def write(self, table: pa.Table) -> None:
        """Append a table; the first decides the columns."""
        if self._writer is None:
            self._writer = self._start(table.schema)
        self._writer.write_table(table)
        self.rows += len(table)

    def _start(self, schema: pa.Schema) -> pq.ParquetWriter | pa_csv.CSVWriter:
        if self._path.suffix == ".parquet":
            return pq.ParquetWriter(self._path, schema, compression="zstd")
        file: Any = self._path.open("wb")
        self._open.append(file)
        if self._path.suffix == ".gz":
            file = gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=file, mtime=0)
            self._open.append(file)
        return pa_csv.CSVWriter(file, schema, write_options=pa_csv.WriteOptions(quoting_style="needed"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if self._writer is not None:
            self._writer.close()
        for file in reversed(self._open):
            file.close()


def _section(name: str, pairs: dict[str, str]) -> str:
    return f"[{name}]\n" + "".join(f'{ours} = "{theirs}"\n' for ours, theirs in pairs.items())


def _table(name: str, file: str, columns: dict[str, str], *, instants: bool = True, **more: str) -> str:
    lines = [f"[tables.{name}]", f'file = "{file}"', "complete = true", f'date_format = "{_DATE}"']
    if instants:
        lines.append(f'instant_format = "{_INSTANT}"')
    lines += [f'{key} = "{value}"' for key, value in more.items()]
    return "\n".join(lines) + "\n" + _section(f"tables.{name}.columns", columns)


def _head(source_id: str, kind: str, what: str) -> str:
    return (f"# {what} of the demo hospital: invented, made by `pacsmeter demo`.\n"
            f'source_id = "{source_id}"\nkind = "{kind}"\nis_demo = true\nzone = "{plan.ZONE}"\n')


def write_source_files(out: Path, files: dict[str, str]) -> None:
    """Write ``archive.toml``, ``ris.toml`` and, with a scanner's log, ``scanner-log.toml`` for an export's files."""
    kilobytes = "[tables.{}.scale]\nsize_bytes = 1000\n"
    archive = [
        _head(plan.ARCHIVE_SOURCE, "index_export", "The archive's index"),
        _table("studies", files["studies"], STUDY_COLUMNS), kilobytes.format("studies"),
        _section("tables.studies.values.storage_tier", TIER_WORDS),
        _table("series", files["series"], SERIES_COLUMNS), kilobytes.format("series"),
        _table("archives", files["archives"], ARCHIVE_COLUMNS, instants=False),
    ]
    ris = [
        _head(plan.RIS_SOURCE, "ris_events", "The RIS's orders and event times"),
        _table("orders", files["ris"], ORDER_COLUMNS),
        _section("tables.orders.values.priority", PRIORITY_WORDS),
        _section("tables.orders.values.patient_class", CLASS_WORDS),
        _table("events", files["ris"], {"accession_number": "ACC_NO"}, shape="wide"),
        _section("tables.events.events", RIS_EVENTS),
    ]
    (out / "archive.toml").write_text("\n".join(archive), encoding="utf-8")
    (out / "ris.toml").write_text("\n".join(ris), encoding="utf-8")
    if "scanner_log" in files:
        log = [
            _head(plan.LOG_SOURCE, "ris_events", f"The log of the scanner {plan.LOGGED_STATION}"),
            _table("events", files["scanner_log"], {"accession_number": "ACC_NO"}, shape="wide"),
            _section("tables.events.events", LOG_EVENTS),
        ]
        (out / "scanner-log.toml").write_text("\n".join(log), encoding="utf-8")
