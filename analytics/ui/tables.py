"""Tables: numbers as people write them on the page, as they are in the download."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

import pandas as pd
import streamlit as st

from analytics.core.quantity import BYTES, IMAGES, MINUTES, PERCENT, SERIES, format_quantity
from analytics.reporting.axes import is_missing, label_of, words

SHOWN = 1000
"""Rows a table shows; its download says the same rows."""
_UNITS = {
    "size_bytes": BYTES, "bytes": BYTES, "minutes": MINUTES, "number_of_series": SERIES,
    "number_of_instances": IMAGES, "share": PERCENT, "rate": PERCENT, "open_minutes": MINUTES, "age_minutes": MINUTES,
}
_SAID = {"priority", "patient_class", "transfer_syntax_uid", "exam_weekday", "exam_hour"}
_NUMBERS = "iuf"


def study_link(row: Mapping[str, Any]) -> str | None:
    """Return the address of a row's study on the Study page, relative to any page."""
    for name in ("study_instance_uid", "exam_id", "accession_number"):
        value = row.get(name)
        if not is_missing(value) and value:
            return f"study?find={quote(str(value))}"
    return None


def _format_of(frame: pd.DataFrame, units: Mapping[str, str]) -> dict[str, Any]:
    """Return how each column's cells are written."""
    found: dict[str, Any] = {}
    for name in frame.columns:
        if name in units or name in _UNITS:
            found[name] = partial(_number, unit=units.get(name, _UNITS.get(name, "")))
        elif name in _SAID:
            found[name] = partial(words, name)
        elif pd.api.types.is_numeric_dtype(frame[name]) and not pd.api.types.is_bool_dtype(frame[name]):
            found[name] = partial(_number, unit="{n}")
    return found


def _number(value: Any, unit: str) -> str:
    return format_quantity(None if is_missing(value) else float(value) if isinstance(value, float) else int(value), unit)


def show_table(frame: pd.DataFrame, name: str, *, units: Mapping[str, str] | None = None, studies: bool = False,
               labels: Mapping[str, str] | None = None, hide: tuple[str, ...] = (), key: str | None = None,
               height: int | None = None) -> None:
    """Show a table with its downloads.

    Parameters
    ----------
    frame : DataFrame
    name : str
        Name of the table: heading of the download and stem of its file's name.
    units : mapping, optional
        UCUM unit of the columns that have one.
    studies : bool
        Whether each row is an exam, so that it links to the Study page.
    labels : mapping, optional
        Heading of a column where `label_of` does not say it.
    hide : tuple of str
        Columns of the download that the page does not show.
    """
    shown = frame.head(SHOWN).drop(columns=[column for column in hide if column in frame.columns])
    columns: dict[str, Any] = {
        column: st.column_config.Column(label=(labels or {}).get(column, label_of(column))) for column in shown.columns}
    if studies:
        shown = shown.assign(study=[study_link(row) for row in shown.to_dict("records")])
        shown = shown[["study", *(column for column in shown.columns if column != "study")]]
        columns["study"] = st.column_config.LinkColumn("Study", display_text="Open study", width="small")
    for column in shown.columns:
        if pd.api.types.is_datetime64_any_dtype(shown[column]):
            columns[column] = _when(shown[column], (labels or {}).get(column, label_of(column)))
    styled = shown.style.format(_format_of(shown, units or {}), na_rep="–")
    st.dataframe(styled, hide_index=True, column_config=columns, key=key, width="stretch",
                 height=height or min(38 + 35 * max(len(shown), 1), 420))
    downloads(frame, name, key=key or name)


def _when(column: pd.Series[Any], label: str) -> Any:
    day_only = column.dropna().empty or bool((column.dropna().dt.normalize() == column.dropna()).all())
    return (st.column_config.DateColumn(label, format="D MMM YYYY") if day_only
            else st.column_config.DatetimeColumn(label, format="D MMM YYYY HH:mm"))


def downloads(frame: pd.DataFrame, name: str, *, key: str, units: Mapping[str, str] | None = None) -> None:
    """Offer a table as CSV and as an Excel workbook, with raw numbers."""
    stem = "-".join(name.lower().split())

    def workbook() -> bytes:
        from analytics.reporting.workbook import table_workbook

        return table_workbook(frame, name)

    with st.container(horizontal=True, gap="small"):
        st.download_button("CSV", lambda: frame.to_csv(index=False).encode(), f"{stem}.csv", "text/csv",
                           key=f"csv-{key}", icon=":material/download:", type="tertiary", on_click="ignore")
        st.download_button("Excel", workbook, f"{stem}.xlsx", key=f"xlsx-{key}", icon=":material/download:",
                           mime="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", type="tertiary",
                           on_click="ignore")
