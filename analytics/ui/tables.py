"""Tables: numbers as people write them on the page, as they are in the download."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote

import pandas as pd
import streamlit as st

from analytics.core.quantity import BYTES, IMAGES, MINUTES, PERCENT, SERIES, format_quantity
from analytics.core.results import MetricResult
from analytics.reporting.axes import is_missing, label_of, words
from analytics.reporting.workbook import About, about_result, table_workbook
from analytics.ui.shell import Page

SHOWN = 1000
"""Rows a table shows; its downloads hold them all."""
FITS = 11
"""Rows of a table that is shown whole, without a scroll bar of its own."""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_UNITS = {
    "size_bytes": BYTES, "bytes": BYTES, "minutes": MINUTES, "number_of_series": SERIES,
    "number_of_instances": IMAGES, "share": PERCENT, "rate": PERCENT,
}
_SAID = frozenset({"priority", "patient_class", "transfer_syntax_uid", "exam_weekday", "exam_hour"})
_NUMBERS_OF = frozenset({"patient_birth_year", "series_number", "instance_number"})
"""Numbers that name something, and are not counted: no thousands separator."""
_FORMULA = re.compile(r"^[=+@\t\r]|^-(?![\d.])")


def study_link(row: Mapping[Any, Any]) -> str | None:
    """Return the address of a row's study on the Study page, relative to any page."""
    for name in ("study_instance_uid", "accession_number"):
        value = row.get(name)
        if not is_missing(value) and value:
            return f"study?find={quote(str(value))}"
    return None


def _formats(frame: pd.DataFrame, units: Mapping[str, str]) -> dict[str, Any]:
    """Return how each column's cells are written."""
    found: dict[str, Any] = {}
    for name in map(str, frame.columns):
        if name in units:
            found[name] = partial(_number, unit=units[name])
        elif name in _NUMBERS_OF:
            found[name] = _plain
        elif name in _SAID:
            found[name] = partial(words, name)
        elif pd.api.types.is_numeric_dtype(frame[name]) and not pd.api.types.is_bool_dtype(frame[name]):
            found[name] = partial(_number, unit="{n}")
    return found


def _shown(frame: pd.DataFrame, hide: tuple[str, ...]) -> pd.DataFrame:
    """Return what the page shows of a table: no hidden column, none that holds nothing, and no word for nothing."""
    empty = [column for column in frame.columns if len(frame) and frame[column].isna().all()]
    kept = frame.drop(columns=[column for column in (*hide, *empty) if column in frame.columns])
    texts = [column for column in kept.columns if pd.api.types.is_object_dtype(kept[column])
             or pd.api.types.is_string_dtype(kept[column])]
    return kept.assign(**{column: kept[column].astype(object).where(kept[column].notna(), "") for column in texts})


def _plain(value: Any) -> str:
    return "–" if is_missing(value) else f"{int(value)}"


def _number(value: Any, unit: str) -> str:
    if is_missing(value):
        return format_quantity(None, unit)
    return format_quantity(value if isinstance(value, int | float) else float(value), unit)


def _when(column: pd.Series[Any], label: str, zone: str) -> Any:
    known = column.dropna()
    if known.dt.tz is None and bool((known.dt.normalize() == known).all()):
        return st.column_config.DateColumn(label, format="D MMM YYYY")
    return st.column_config.DatetimeColumn(label, format="D MMM YYYY HH:mm", timezone=zone)


def show_table(page: Page, frame: pd.DataFrame, name: str, *, key: str = "", units: Mapping[str, str] | None = None,
               studies: bool = False, labels: Mapping[str, str] | None = None, hide: tuple[str, ...] = (),
               result: MetricResult | None = None, height: int | None = None) -> None:
    """Show a table with its downloads.

    Parameters
    ----------
    page : Page
    frame : DataFrame
    name : str
        Name of the table: of its downloads' files and their sheet.
    key : str
        Tells two tables of one name apart.
    units : mapping, optional
        UCUM unit of the columns that have one.
    studies : bool
        Whether each row is about a study, so that it links to the Study page.
    labels : mapping, optional
        Heading of a column where `label_of` does not say it.
    hide : tuple of str
        Columns of the downloads that the page does not show.
    result : MetricResult, optional
        What the table is of; its definition goes into the workbook.
    """
    units, labels = {**_UNITS, **(units or {})}, labels or {}
    shown = _shown(frame.head(SHOWN), hide)
    columns: dict[str, Any] = {
        column: st.column_config.Column(labels.get(column, label_of(column))) for column in shown.columns}
    for column in shown.columns:
        if pd.api.types.is_datetime64_any_dtype(shown[column]):
            columns[column] = _when(shown[column], labels.get(column, label_of(column)), page.settings.site_zone)
    if studies:
        shown.insert(0, "open", [study_link(row) for row in frame.head(SHOWN).to_dict("records")])
        columns["open"] = st.column_config.LinkColumn("Study", display_text="Open study", width="small")
    st.dataframe(shown.style.format(_formats(shown, units), na_rep="–"), hide_index=True, column_config=columns,
                 placeholder="–", key=f"table-{name}-{key}",
                 height=height or ("content" if len(shown) <= FITS else 430))
    about = (about_result(result, page.filters, datetime.now(UTC), is_demo=page.choices.is_demo) if result else
             About(name, datetime.now(UTC), page.revision, page.filters, is_demo=page.choices.is_demo))
    _downloads(page, frame, name, about, units, key)


def _downloads(page: Page, frame: pd.DataFrame, name: str, about: About, units: Mapping[str, str], key: str) -> None:
    """Offer a table as CSV and as an Excel workbook, with raw numbers; each is made when it is asked for."""
    stem = "-".join(re.findall(r"[a-z0-9]+", name.lower()))

    def workbook() -> bytes:
        return table_workbook({name: frame}, about, page.settings.site_zone, units)

    with st.container(horizontal=True, gap="small"):
        st.download_button("CSV", lambda: csv_of(frame), f"{stem}.csv", "text/csv", key=f"csv-{name}-{key}",
                           icon=":material/download:", type="tertiary", on_click="ignore")
        st.download_button("Excel", workbook, f"{stem}.xlsx", XLSX, key=f"xlsx-{name}-{key}",
                           icon=":material/download:", type="tertiary", on_click="ignore")


def csv_of(frame: pd.DataFrame) -> bytes:
    """Write a table as CSV; text that a spreadsheet would run as a formula is written behind an apostrophe."""
    text = frame.select_dtypes(exclude=["number", "datetime", "datetimetz", "bool"]).columns
    safe = frame.assign(**{name: [f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value
                                  for value in frame[name]] for name in text})
    return safe.to_csv(index=False).encode("utf-8-sig")
