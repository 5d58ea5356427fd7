"""One case a check: rows that pass, rows that violate, rows that the check does not apply to.

A case is a TOML file named by the check's id. Each of its sections is loaded as a source of its own into one
warehouse, so that every check runs once over all cases. Study UIDs, accession numbers, sites and stations are
written short and made unique to their section; a row with ``times = 20`` stands for twenty, each with UIDs and an
accession number of its own.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from analytics.warehouse.schema import metadata

FOLDER = Path(__file__).parent
SECTIONS = ("passes", "violates", "not_applicable")
_UNIQUE_TEXT = ("accession_number", "site", "station_name")
_COUNTED = ("study_instance_uid", "sop_instance_uid", "accession_number")


@dataclass(frozen=True)
class Section:
    """Rows of one source and what the check says of them."""

    check_id: str
    name: str
    violated: int
    denominator: int
    tables: dict[sa.Table, list[dict[str, Any]]]

    @property
    def source_id(self) -> str:
        return f"{self.check_id}-{self.name}"


def _section(check_id: str, name: str, written: dict[str, Any]) -> Section:
    mark = f"{check_id}-{name}"
    prefix = "" if written.get("verbatim") else f"2.25.{check_id[3:]}.{SECTIONS.index(name)}."

    def row(table: sa.Table, values: dict[str, Any]) -> dict[str, Any]:
        # Sections share one warehouse, where a study or an accession number is one wherever it is stored.
        made = {"source_id": mark, **({"patient_key": "p1"} if table.name == "studies" else {}), **values}
        if made.get("study_instance_uid"):
            made["study_instance_uid"] = prefix + made["study_instance_uid"]
        made.update({key: f"{mark}-{made[key]}" for key in _UNIQUE_TEXT if made.get(key)})
        return made

    tables = {
        metadata.tables[table]: [row(metadata.tables[table], one) for values in rows for one in _repeated(values)]
        for table, rows in written.items() if table in metadata.tables
    }
    return Section(check_id, name, written.get("violated", 0), written.get("denominator", 0), tables)


def _repeated(values: dict[str, Any]) -> list[dict[str, Any]]:
    times = values.get("times")
    if times is None:
        return [values]
    rest = {key: value for key, value in values.items() if key != "times"}
    return [rest | {key: f"{rest[key]}.{n}" for key in _COUNTED if key in rest} for n in range(1, times + 1)]


def sections() -> list[Section]:
    """Read every case."""
    found = []
    for file in sorted(FOLDER.glob("*.toml")):
        case = tomllib.loads(file.read_text())
        found += [_section(file.stem, name, case[name]) for name in SECTIONS if name in case]
    return found


def together(cases: list[Section]) -> dict[sa.Table, list[dict[str, Any]]]:
    """Put the rows of all sections into one set of tables."""
    tables: dict[sa.Table, list[dict[str, Any]]] = {}
    for case in cases:
        for table, rows in case.tables.items():
            tables.setdefault(table, []).extend(rows)
    return tables
