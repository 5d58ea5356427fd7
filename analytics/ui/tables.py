"""Tables: numbers as people write them on the page, as they are in the download."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

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
STUDY, OPEN = "pages/study.py", "Open study"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_UNITS = {
    "size_bytes": BYTES, "bytes": BYTES, "minutes": MINUTES, "number_of_series": SERIES,
    "number_of_instances": IMAGES, "share": PERCENT, "rate": PERCENT,
}
_SAID = frozenset({"priority", "patient_class", "transfer_syntax_uid", "exam_weekday", "exam_hour", "hour", "kind"})
_NUMBERS_OF = frozenset({"patient_birth_year", "year", "series_number", "instance_number"})
"""Numbers that name something, and are not counted: no thousands separator."""
_FORMULA = re.compile(r"^[=+@\t\r]|^-(?![\d.])")


def study_of(row: Mapping[Any, Any]) -> str | None:
    """Return what the Study page finds a row's study by: its UID, else its accession number."""
    for name in ("study_instance_uid", "accession_number"):
        value = row.get(name)
        if not is_missing(value) and value:
            return str(value)
    return None


def _row_words(row: Mapping[Any, Any]) -> str:
    """Say which study a row is about, for a list to choose it from."""
    dates = (row.get(name) for name in ("exam_date", "found_date", "acquired_at"))
    day = next((one for one in dates if not is_missing(one)), None)
    said = [f"{day:%-d %b %Y}" if day is not None else None, *(row.get(name) for name in (
        "check_id", "modality", "station_name", "accession_number"))]
    return " · ".join(str(item) for item in said if not is_missing(item) and item) or str(study_of(row))


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
    if unit == PERCENT and 0 < value < 0.05:  # never 0.0 % of what there is
        return "< 0.1 %"
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
    units, labels, key = {**_UNITS, **(units or {})}, labels or {}, f"{key}{page.side}"
    shown = _shown(frame.head(SHOWN), hide)
    columns: dict[str, Any] = {
        column: st.column_config.Column(labels.get(column, label_of(column))) for column in shown.columns}
    for column in shown.columns:
        if pd.api.types.is_datetime64_any_dtype(shown[column]):
            columns[column] = _when(shown[column], labels.get(column, label_of(column)), page.settings.site_zone)
    if studies:
        rows = frame.head(SHOWN).to_dict("records")
        shown.insert(0, "open", [OPEN if study_of(row) else "" for row in rows])
        columns["open"] = st.column_config.ButtonColumn("Study", type="tertiary", key=f"open-{name}-{key}", width=104)
    st.dataframe(shown.style.format(_formats(shown, units), na_rep="–"), hide_index=True, column_config=columns,
                 placeholder="–", key=f"table-{name}-{key}",
                 height=height or ("content" if len(shown) <= FITS else 430))
    about = (about_result(result, page.filters, datetime.now(UTC), is_demo=page.choices.is_demo) if result else
             About(name, datetime.now(UTC), page.revision, page.filters, is_demo=page.choices.is_demo))
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        _downloads(page, frame, name, about, units, key)
        if studies:
            _ways(rows, f"{name}-{key}")
    clicked = st.session_state.get(f"open-{name}-{key}") if studies else None
    if clicked and clicked.row < len(rows) and study_of(rows[clicked.row]):
        st.switch_page(STUDY, query_params={"find": str(study_of(rows[clicked.row]))})


def _ways(rows: list[dict[Any, Any]], key: str) -> None:
    """Offer each row's study as a list and a link: the table's buttons are drawn, and need a mouse."""
    known = [row for row in rows if study_of(row)]
    if not known:
        return
    place = st.selectbox("Study of a row", range(len(known)), format_func=lambda number: _row_words(known[number]),
                         key=f"row-{key}", label_visibility="collapsed", width=380)
    st.page_link(STUDY, label=OPEN, icon=":material/arrow_forward:",
                 query_params={"find": str(study_of(known[place or 0]))})


def _downloads(page: Page, frame: pd.DataFrame, name: str, about: About, units: Mapping[str, str], key: str) -> None:
    """Offer a table as CSV and as an Excel workbook, with raw numbers; each is made when it is asked for."""
    stem = "-".join(re.findall(r"[a-z0-9]+", name.lower()))

    def workbook() -> bytes:
        return table_workbook({name: frame}, about, page.settings.site_zone, units)

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
