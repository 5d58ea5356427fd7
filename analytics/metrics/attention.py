"""What needs attention: rules over the metrics, each with its limit stated, each saying one sentence.

The limits are general: where a standard or a paper has one it is cited, the others are set so that ordinary
variation stays silent. None is fitted to any one hospital's data.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.findings import Severity
from analytics.core.quantity import MINUTES, PERCENT, format_quantity
from analytics.metrics import backlog, forecast, sources_health, sources_silence, volume
from analytics.metrics.attention_item import Attention, Rule, counted, rise
from analytics.metrics.attention_stories import clocks_off, longer_exams, past_backlog, slower_site
from analytics.metrics.catalog import compute
from analytics.metrics.windows import COMPARED_DAYS
from analytics.warehouse.expressions import conditions
from analytics.warehouse.schema import check_runs, findings
from analytics.warehouse.store import Warehouse

__all__ = ["RULES", "Attention"]

FILLS_SOON, FILLS_LATER = timedelta(days=183), timedelta(days=548)
OLD_UNREAD_SHARE = 5.0      # percent of the unread that have waited more than 3 days
SLOWER = 1.2                # times the usual median report turnaround, and outside its natural limit
NATURAL_LIMIT = 2.66        # mean moving ranges above the mean: XmR chart (Wheeler, Understanding Variation, 2000)
VOLUME_CHANGED = 20.0       # percent
BEHIND_MINUTES = 2 * 1440.0
FEWEST_EXAMS = 20           # in a month, for its median to be looked at


def archive_fills(warehouse: Warehouse, filters: Filters) -> Iterator[Attention]:
    """An archive is full, or fills within the forecast: error within half a year, warning within a year and a half."""
    for history in forecast.histories(warehouse, filters):
        seen = forecast.outlook(history)
        if seen is None or seen.early is None:
            continue
        left = seen.early - history.start.date()
        severity = (Severity.ERROR if left <= FILLS_SOON else
                    Severity.WARNING if left <= FILLS_LATER else Severity.INFO)
        yield Attention(severity, forecast.fills_in_words(seen), "storage.fill_dates", "Storage", filters)


def unread_exams(warehouse: Warehouse, filters: Filters) -> Iterator[Attention]:
    """Exams wait for a report: a warning where more than a twentieth of them have waited more than 3 days."""
    frame = backlog.unread_now(warehouse, filters).frame
    unread, old = int(frame.unread.sum()), int(frame.over_3_days.sum())
    if not unread:
        return
    severity = Severity.WARNING if 100 * old / unread > OLD_UNREAD_SHARE else Severity.INFO
    yield Attention(severity, f"{counted(unread, 'exam')} unread now; {old:,} waiting for more than 3 days.",
                    "backlog.unread_now", "Backlog", filters)


def slower_reports(warehouse: Warehouse, filters: Filters) -> Iterator[Attention]:
    """A modality's median report turnaround is a fifth above that of the year before, and above its natural limit.

    Open cases count at their age so far. The limit is that of an XmR chart of the logarithm of the monthly medians.
    """
    frame = compute("turnaround.swim_rtat", warehouse, filters, by="modality").frame
    frame = frame[frame.whole & (frame.n + frame.open >= FEWEST_EXAMS) & frame.modality.notna()]
    for modality, months in frame.groupby("modality"):
        medians = months.median_with_open.iloc[-13:].to_numpy()
        if len(medians) < 5 or months.period.iloc[-1] != frame.period.max() or medians.min() <= 0:
            continue
        logs = np.log(medians[:-1])
        usual, limit = np.exp(logs.mean()), np.exp(logs.mean() + NATURAL_LIMIT * np.abs(np.diff(logs)).mean())
        now = float(medians[-1])
        if now >= SLOWER * usual and now > limit:
            yield Attention(
                Severity.WARNING,
                f"{modality} reports took {rise(now, usual)} longer in {months.period.iloc[-1]:%b %Y} than in the "
                f"months before: median {format_quantity(now, MINUTES)}, usually {format_quantity(usual, MINUTES)}.",
                "turnaround.swim_rtat", "Turnaround", filters.where(modalities=(str(modality),)))


def volume_changed(warehouse: Warehouse, filters: Filters) -> Iterator[Attention]:
    """Studies against the same weekdays a year before; a warning where they differ by a fifth."""
    if filters.date_from and (filters.date_to or filters.date_from) - filters.date_from > timedelta(days=363):
        return
    result = volume.change(warehouse, filters.where(date_from=None), against="year")
    before = int(result.frame.before.sum())
    if before < FEWEST_EXAMS or not len(result.frame):
        return
    percent = 100 * float(result.headline or 0) / before
    most = result.frame.iloc[0]
    word = "more" if percent >= 0 else "fewer"
    yield Attention(
        Severity.WARNING if abs(percent) >= VOLUME_CHANGED else Severity.INFO,
        f"{format_quantity(abs(percent), PERCENT)} {word} studies in the last {COMPARED_DAYS} days than on the "
        f"same weekdays a year before; most of it {most.modality} ({int(most.change):+,}).",
        "volume.change", "Volume", filters)


def silent_devices(warehouse: Warehouse, filters: Filters) -> Iterator[Attention]:
    """A device in use has stopped: it is silent for longer than its own working rhythm explains."""
    frame = compute("sources.silent_devices", warehouse, filters).frame
    for row in frame[frame.state == sources_silence.SILENT].to_dict("records"):
        site = {"sites": (row["site"],)} if isinstance(row["site"], str) else {}
        yield Attention(Severity.WARNING, sources_silence.silence_in_words(row), "sources.silent_devices", "Sources",
                        filters.where(station_names=(row["station_name"],), **site))


def stale_sources(warehouse: Warehouse, filters: Filters) -> Iterator[Attention]:
    """A source's latest data is two days or more behind the others', or some of its records could not be used."""
    for row in sources_health.freshness(warehouse, filters).frame.itertuples():
        if row.behind >= BEHIND_MINUTES:
            behind = format_quantity(float(row.behind), MINUTES)
            yield Attention(Severity.WARNING, f"{row.source_id} is {behind} behind the latest data.",
                            "sources.freshness", "Sources", filters)
        if row.quarantined:
            yield Attention(Severity.INFO, f"{counted(row.quarantined, 'record')} of {row.source_id} could not be "
                            "used; each is kept with its reason.", "sources.quarantine", "Sources", filters)


def found_by_checks(warehouse: Warehouse, filters: Filters) -> Iterator[Attention]:
    """Findings of the checks, by severity and page, and checks that could not run."""
    narrowed = filters.where(patient_classes=(), priorities=())
    counts = warehouse.read(
        sa.select(findings.c.severity, findings.c.category, findings.c.check_id, sa.func.count().label("n"))
        .where(*conditions(narrowed, findings, findings.c.found_date))
        .group_by(findings.c.severity, findings.c.category, findings.c.check_id))
    counts["page"] = ["Image quality" if category == "image" else "Consistency" for category in counts.category]
    for (severity, page), found in counts.groupby(["severity", "page"]):
        most = found.sort_values("n").iloc[-1]
        yield Attention(
            Severity(str(severity)),
            f"{counted(int(found.n.sum()), 'finding')} of severity {severity} by {counted(len(found), 'check')} of "
            f"{str(page).lower()}; most by {most.check_id} ({int(most.n):,}).", "", str(page), filters)
    failed = warehouse.count(sa.select(check_runs.c.check_id).where(check_runs.c.outcome == "failed"))
    if failed:
        sentence = f"{counted(failed, 'check')} could not run, so what they look for is not known."
        yield Attention(Severity.WARNING, sentence, "", "Consistency", filters)


RULES: dict[str, tuple[Rule, ...]] = {
    "Storage": (archive_fills,),
    "Turnaround": (slower_reports, slower_site, longer_exams),
    "Backlog": (unread_exams, past_backlog),
    "Volume": (volume_changed,),
    "Sources": (silent_devices, clocks_off, stale_sources),
    "Consistency": (found_by_checks,),
    "Image quality": (found_by_checks,),
}
"""The rules of each page; what a rule says may belong to another page, and is then not shown on this one."""
