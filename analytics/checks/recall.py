"""Recall: what the checks find on the demo hospital, beside what was planted in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
import sqlalchemy as sa

from analytics.warehouse.schema import exams, findings, sources
from analytics.warehouse.store import Warehouse

STATION_MONTH = "station_name and month"
_COLUMNS = ("check_id", "kind", "planted", "found", "recall", "findings", "false_positives", "explained")


def compare_with_truth(warehouse: Warehouse, truth: Mapping[str, Any]) -> pd.DataFrame:
    """Return recall and false positives of each kind of planted fault.

    Parameters
    ----------
    warehouse : Warehouse
        The demo, loaded and checked.
    truth : mapping
        The content of ``truth.json``: ``faults``, each with ``check_id``, ``kind``, ``key``, ``keys`` and, for
        keys that are no study, ``studies``.

    Returns
    -------
    DataFrame
        One row a fault: ``planted``; ``found``, planted ones with a finding of their check; ``recall`` in percent,
        missing where nothing was planted; ``findings`` of that check; ``false_positives``, findings that were not
        planted for this check; ``explained``, those of them that lie on a study, series or order where another
        fault was planted.
    """
    seen = _findings(warehouse)
    faults = list(truth["faults"])
    planted_anywhere = {(fault["key"], key) for fault in faults for key in fault["keys"]}
    rows = [_compare(fault, seen[seen["check_id"] == fault["check_id"]], planted_anywhere) for fault in faults]
    frame = pd.DataFrame(rows, columns=list(_COLUMNS)).sort_values(["check_id", "kind"], ignore_index=True)
    return frame.astype({"recall": "Float64"})


def _findings(warehouse: Warehouse) -> pd.DataFrame:
    """Return the findings in the demo's sources, each with its exam's accession number."""
    demo = sa.select(sources.c.source_id).where(sources.c.is_demo)
    joined = findings.join(exams, findings.c.study_instance_uid == exams.c.study_instance_uid, isouter=True)
    frame = warehouse.read(sa.select(
        findings.c.check_id, findings.c.study_instance_uid, findings.c.series_instance_uid, findings.c.station_name,
        findings.c.found_date, sa.func.coalesce(findings.c.accession_number, exams.c.accession_number).label(
            "accession_number")).select_from(joined).where(findings.c.source_id.in_(demo)))
    month = pd.to_datetime(frame["found_date"]).dt.strftime("%Y-%m")
    frame[STATION_MONTH] = frame["station_name"].astype(object) + " " + month
    return frame


def _compare(fault: Mapping[str, Any], seen: pd.DataFrame, planted_anywhere: set[tuple[str, str]]) -> dict[str, Any]:
    planted = set(fault["keys"])
    hits = [_keys_of(fault, row) & planted for row in seen.to_dict("records")]
    found = set().union(*hits)
    strays = [row for row, hit in zip(seen.to_dict("records"), hits, strict=True) if not hit]
    return {
        "check_id": fault["check_id"], "kind": fault["kind"], "planted": len(planted), "found": len(found),
        "recall": 100 * len(found) / len(planted) if planted else None, "findings": len(seen),
        "false_positives": len(strays),
        "explained": sum(any((column, row.get(column)) in planted_anywhere for column in row) for row in strays)}


def _keys_of(fault: Mapping[str, Any], row: Mapping[Any, Any]) -> set[str]:
    """Return the keys, as this fault writes them, that a finding is about."""
    if fault["key"] in row:
        return {row[fault["key"]]}
    return set(_keys_by_study(fault).get(row["study_instance_uid"], ()))


def _keys_by_study(fault: Mapping[str, Any]) -> dict[str, list[str]]:
    by_study: dict[str, list[str]] = {}
    studies: Mapping[str, Iterable[str]] = fault.get("studies", {})
    for key, uids in studies.items():
        for uid in uids:
            by_study.setdefault(uid, []).append(key)
    return by_study
