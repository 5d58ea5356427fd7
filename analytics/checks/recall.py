"""Recall: what the checks find on the demo hospital, beside what was planted in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.warehouse.schema import exams, findings, sources
from analytics.warehouse.store import Warehouse

STATION_MONTH = "station_name and month"
_COLUMNS = ("check_id", "kind", "planted", "found", "recall", "findings", "false_positives", "explained")


def read_truth(path: Path) -> dict[str, Any]:
    """Read a demo's ``truth.json``; another file is an error that says so."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {"faults": content["faults"], "sources": content["sources"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PacsmeterError(f"This is not a demo's truth file ({type(error).__name__})",
                             "Name the truth.json that `pacsmeter demo` wrote.", str(path)) from None


def compare_with_truth(warehouse: Warehouse, truth: Mapping[str, Any]) -> pd.DataFrame:
    """Return recall and false positives of each kind of planted fault.

    Parameters
    ----------
    warehouse : Warehouse
        The demo, loaded and checked.
    truth : mapping
        The content of ``truth.json``: ``faults``, each with ``check_id``, ``kind``, ``key``, ``keys`` and, for
        keys that are no study, ``studies``; ``sources``, where they were planted (every demo source where not given).

    Returns
    -------
    DataFrame
        One row a fault: ``planted``; ``found``, planted ones with a finding of their check; ``recall`` in percent,
        missing where nothing was planted; ``findings`` of it; ``false_positives``, findings of its check that no
        fault of the check accounts for; ``explained``, those of them that lie on a study, series or order where another
        fault was planted.
    """
    seen = _findings(warehouse, truth.get("sources")).to_dict("records")
    faults = list(truth["faults"])
    planted_anywhere = {(fault["key"], key) for fault in faults for key in fault["keys"]}
    rows: list[dict[str, Any]] = []
    for check_id in sorted({fault["check_id"] for fault in faults}):
        rows += _compare([fault for fault in faults if fault["check_id"] == check_id],
                         [row for row in seen if row["check_id"] == check_id], planted_anywhere)
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype({"recall": "Float64"})


def _findings(warehouse: Warehouse, planted_in: Sequence[str] | None) -> pd.DataFrame:
    """Return the findings in the demo's sources, each with its exam's accession number."""
    demo = sa.select(sources.c.source_id).where(sources.c.is_demo)
    if planted_in is not None:
        demo = demo.where(sources.c.source_id.in_(planted_in))
    joined = findings.join(exams, findings.c.study_instance_uid == exams.c.study_instance_uid, isouter=True)
    number = sa.func.coalesce(findings.c.accession_number, exams.c.accession_number).label("accession_number")
    kept = (findings.c[name] for name in ("check_id", "path", "study_instance_uid", "series_instance_uid",
                                          "station_name", "found_date"))
    frame = warehouse.read(sa.select(*kept, number).select_from(joined).where(findings.c.source_id.in_(demo)))
    month = pd.to_datetime(frame["found_date"]).dt.strftime("%Y-%m")
    frame[STATION_MONTH] = frame["station_name"].astype(object) + " " + month
    return frame


def _compare(faults: list[Mapping[str, Any]], seen: list[dict[Any, Any]],
             planted_anywhere: set[tuple[str, str]]) -> list[dict[str, Any]]:
    """Compare the faults of one check with its findings; a finding that any of them explains is no false positive."""
    found = [_found(fault, seen) for fault in faults]
    strays = [row for row, *hits in zip(seen, *found, strict=True) if not any(hits)]
    explained = sum(any((column, value) in planted_anywhere for column, value in row.items()) for row in strays)
    return [
        {"check_id": fault["check_id"], "kind": fault["kind"], "planted": len(set(fault["keys"])),
         "found": len(set().union(*hits)), "findings": sum(map(bool, hits)), "false_positives": len(strays),
         "recall": 100 * len(set().union(*hits)) / len(set(fault["keys"])) if fault["keys"] else None,
         "explained": explained}
        for fault, hits in zip(faults, found, strict=True)
    ]


def _found(fault: Mapping[str, Any], seen: list[dict[Any, Any]]) -> list[set[str]]:
    """Return for each finding which planted keys of a fault it is about."""
    planted, by_study = set(fault["keys"]), _keys_by_study(fault)
    return [_keys_of(fault["key"], by_study, row) & planted for row in seen]


def _keys_of(key: str, by_study: Mapping[str, list[str]], row: Mapping[Any, Any]) -> set[str]:
    """Return the keys, as a fault writes them, that a finding is about."""
    return {row[key]} if key in row else set(by_study.get(row["study_instance_uid"], ()))


def _keys_by_study(fault: Mapping[str, Any]) -> dict[str, list[str]]:
    by_study: dict[str, list[str]] = {}
    studies: Mapping[str, Iterable[str]] = fault.get("studies", {})
    for key, uids in studies.items():
        for uid in uids:
            by_study.setdefault(uid, []).append(key)
    return by_study
