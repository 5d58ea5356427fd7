"""What needs attention because it changed: since when, how far, and from what; each rule says it in a sentence.

Two years up to the end of the period chosen are looked at, in whole weeks from Monday on. A change counts where it is
large enough to matter (its limit stands below) and beyond chance (`change_points`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
import pandas as pd

from analytics.core.filters import Filters
from analytics.core.findings import Severity
from analytics.core.quantity import MINUTES, format_quantity
from analytics.core.settings import load_settings
from analytics.metrics import backlog, sources_health, utilization
from analytics.metrics.attention_item import Attention, counted, rise
from analytics.metrics.catalog import compute
from analytics.metrics.change_points import SHORTEST, Change, Numbers, bend, step, stretch
from analytics.metrics.scope import as_of
from analytics.metrics.working_days import public_holidays
from analytics.warehouse.store import Warehouse

LOOKED_BACK = 104           # weeks: two years, so that each season is seen twice
FEWEST_IN_WEEK = 3          # exams, for a week's median to be looked at
STILL = 8                   # weeks of late that lie nearer to the new level than to the old one
BY_CHANCE = 0.001           # p of a change of one of many devices or sites: 1 in 1,000
LONGER = 1.15               # times the median exam duration before
SLOWER = 1.2                # times the median report turnaround before, as for modalities
CLOCK_OFF_MINUTES = 5.0     # DICOM PS3.17 2024e, R.6.3: clocks not synchronized are 5-10 min off
BACKLOG_BY_CHANCE = 0.01
BACKLOG_WEEKS = (2, 8)      # a shorter one is over before it matters; a longer one is how things are
USUAL_WEEKS = 27            # half a year around a week: its median does not see a backlog of 8 weeks
TOLD_FOR = timedelta(days=366)


def longer_exams(warehouse: Warehouse, filters: Filters) -> Iterator[Attention]:
    """A device's exams take 15 % longer since a week of the last two years."""
    frame = utilization.duration_by_period(warehouse, _two_years(warehouse, filters), "week").frame
    frame = frame[frame.whole & (frame.exams >= FEWEST_IN_WEEK) & frame.station_name.notna() & (frame["median"] > 0)]
    for (_, station, modality), weeks in frame.groupby(["site", "station_name", "modality"], dropna=False):
        seen = _risen(np.log(weeks["median"].to_numpy()), LONGER)
        if seen is None or weeks.period.iloc[-1] < frame.period.max() - timedelta(weeks=SHORTEST):
            continue
        before, after = np.exp(seen.before), np.exp(seen.after)
        yield Attention(
            Severity.WARNING,
            f"{modality} exams on {station} take {rise(after, before)} longer since the week of "
            f"{_day(weeks.period.iloc[seen.first])}: median {format_quantity(after, MINUTES)}, before "
            f"{format_quantity(before, MINUTES)}.",
            "utilization.duration_by_period", "Turnaround", filters.where(station_names=(str(station),)))


def _risen(logs: Numbers, times: float) -> Change | None:
    """Return the step by which a series has risen to that many times its level, and is still there."""
    seen = step(logs, tested=False)
    if seen is None or seen.after - seen.before < np.log(times):
        return None
    if np.median(logs[-STILL:]) < (seen.before + seen.after) / 2:
        return None
    seen = step(logs)
    return seen if seen and seen.p <= BY_CHANCE else None


def slower_site(warehouse: Warehouse, filters: Filters) -> Iterator[Attention]:
    """A site's reports take a fifth longer since a week of the last two years.

    Where there are several sites, each is looked at against the others, so that what slows all of them (a holiday) is
    no story of one; and its own turnaround has to have risen as much, so that one getting faster is none of the others.
    """
    history = _two_years(warehouse, filters)
    frame = compute("turnaround.swim_rtat", warehouse, history, period="week", by="site").frame
    frame = frame[frame.whole & (frame.n + frame.open >= FEWEST_IN_WEEK) & frame.site.notna()]
    table = np.log(frame[frame.median_with_open > 0].pivot(index="period", columns="site", values="median_with_open"))
    sizes = frame.groupby("site").n.sum()
    for site in table.columns:
        own, others = table[site], table.drop(columns=site)
        compared = (own - _together(others, sizes) if len(others.columns) else own).dropna()
        seen = _risen(compared.to_numpy(), SLOWER)
        if seen is None:
            continue
        since = compared.index[seen.first]
        before, after = (float(np.exp(own[part].median())) for part in (own.index < since, own.index >= since))
        if after < SLOWER * before:
            continue
        against = ", the other sites' do not" if len(others.columns) else ""
        yield Attention(
            Severity.WARNING,
            f"Reports at {site} take {rise(after, before)} longer since the week of {_day(since)}{against}: median "
            f"{format_quantity(after, MINUTES)}, before {format_quantity(before, MINUTES)}.",
            "turnaround.swim_rtat", "Turnaround", filters.where(sites=(str(site),)))


def _together(sites: pd.DataFrame, sizes: pd.Series[int]) -> pd.Series[float]:
    """Return the mean of sites in each week, the larger ones counting for more: a small one's median swings."""
    weights = sites.notna() * sizes[sites.columns]
    return (sites * weights).sum(axis=1) / weights.sum(axis=1)


def clocks_off(warehouse: Warehouse, filters: Filters) -> Iterator[Attention]:
    """A device's clock is 5 minutes or more off the RIS's in its latest month; since when, and how fast it drifts."""
    months = sources_health.clock_offset(warehouse, filters).frame
    latest = months.groupby(["site", "station_name"], dropna=False).tail(1) if len(months) else months
    for now in latest[latest.offset.abs() >= CLOCK_OFF_MINUTES].itertuples():
        chosen = filters.where(station_names=(now.station_name,))
        weeks = sources_health.clock_offset(warehouse, _two_years(warehouse, chosen), "week", FEWEST_IN_WEEK).frame
        weeks = weeks[weeks.site.isna() if pd.isna(now.site) else weeks.site == now.site]
        way = "ahead of" if now.offset > 0 else "behind"
        yield Attention(
            Severity.WARNING,
            f"{now.station_name}'s clock runs {format_quantity(abs(float(now.offset)), MINUTES)} {way} the RIS "
            f"(median of {counted(int(now.exams), 'exam')}, {now.period:%b %Y}){_since(weeks)}.",
            "sources.clock_offset", "Sources", chosen)


def _since(weeks: pd.DataFrame) -> str:
    """Say whether a clock jumped or drifts, whichever lies nearer to its weeks, and since when."""
    weeks = _after_reset(weeks)
    times = ((weeks.period - weeks.period.min()).dt.days / 7).to_numpy(dtype=float)
    offsets = weeks.offset.to_numpy(dtype=float)
    found = [seen for seen in (step(offsets), bend(times, offsets)) if seen and seen.p <= BY_CHANCE]
    if not found:
        return ""
    seen = min(found, key=lambda change: change.misfit(times, offsets))
    if seen.slope:
        # a week's median stands for its middle: the bend, in the last week on the level, lies within that week
        since = _day(weeks.period.iloc[seen.first - 1])
        return f"; it has drifted by {abs(seen.slope):.1f} min a week since the week of {since}"
    jump = format_quantity(abs(seen.after - seen.before), MINUTES)
    return f"; it jumped by {jump} in the week of {_day(weeks.period.iloc[seen.first])}"


def _after_reset(weeks: pd.DataFrame) -> pd.DataFrame:
    """Return the weeks since a clock was last set right: what it did before says nothing of how it runs now.

    Three weeks are held against the three before, so that one odd week is no reset.
    """
    off = weeks.offset.abs().reset_index(drop=True).rolling(3).median()
    reset = np.flatnonzero(off.shift(-3) - off <= -CLOCK_OFF_MINUTES)
    return weeks.iloc[reset[-1] + 1:] if len(reset) else weeks


def past_backlog(warehouse: Warehouse, filters: Filters) -> Iterator[Attention]:
    """For two to eight weeks of the last year, exams waited longer for their report than in the half year around.

    What waits shows a backlog at once; the number unread shows it late and faintly, because the few exams that wait for
    weeks are much of it. It is said beside.
    """
    history = _two_years(warehouse, filters)
    frame = compute("turnaround.swim_rtat", warehouse, history, period="day").frame
    frame = frame[frame.whole & (frame.n + frame.open >= FEWEST_IN_WEEK) & (frame.median_with_open > 0)]
    if len(frame) < 7 * USUAL_WEEKS:
        return
    waits = frame.set_index("period").median_with_open.asfreq("D")
    usual = _usual(waits)
    found = _backlog_days(np.log(waits / usual).fillna(0.0))
    if found is None or waits.index[-1] - found[1] > TOLD_FOR:
        return
    first, last = found
    lasting = last >= waits.index[-1]
    span = f"since {_day(first)}" if lasting else f"from {_day(first)} to {_day(last)}"
    waited, usually = waits[first:last].median(), usual[first:last].median()
    yield Attention(
        Severity.WARNING if lasting else Severity.INFO,
        f"A backlog {'stands' if lasting else 'stood'} {span}{_closed(first, last)}: exams waited "
        f"{format_quantity(waited, MINUTES)} for their report (median), usually {format_quantity(usually, MINUTES)}"
        f"{_most_unread(warehouse, history, first, last)}.", "backlog.unread_over_time", "Backlog",
        filters.where(date_from=first.date(), date_to=last.date()))


def _usual(days: pd.Series[float]) -> pd.Series[float]:
    """Return the median of each day's weekday in the 27 weeks around it: a weekend differs, and a hospital grows."""
    return days.groupby(days.index.dayofweek, group_keys=False).apply(
        lambda same: same.rolling(USUAL_WEEKS, center=True, min_periods=USUAL_WEEKS // 2).median()).sort_index()


def _backlog_days(above: pd.Series[float]) -> tuple[pd.Timestamp, pd.Timestamp] | None:
    """Find the weeks that stood apart, and in the weeks around them the days."""
    weeks = above.resample("W-MON", closed="left", label="left").median()
    weeks = weeks[weeks.index >= above.index[0]]  # the first may be cut
    seen = stretch(weeks.to_numpy(), *BACKLOG_WEEKS)
    if seen is None or seen.p > BACKLOG_BY_CHANCE or seen.after - seen.before < np.log(SLOWER):
        return None
    around = above[weeks.index[seen.first] - timedelta(weeks=4):weeks.index[seen.last] + timedelta(weeks=5, days=-1)]
    days = stretch(around.to_numpy(), 7, 7 * BACKLOG_WEEKS[1], tested=False)
    return (around.index[days.first], around.index[days.last]) if days else None


def _most_unread(warehouse: Warehouse, history: Filters, first: pd.Timestamp, last: pd.Timestamp) -> str:
    """Say the most that was unread at the end of a day, and what usually is."""
    frame = backlog.unread_over_time(warehouse, history).frame
    unread = frame.set_index("day").unread
    # the queue is longest when what caused it ends
    inside, usual = unread[first:last + timedelta(days=3)], _usual(unread.asfreq("D").ffill())
    if not len(inside):
        return ""
    most = inside.idxmax()
    if not inside[most] > usual[most]:
        return ""
    return f"; most were unread on {_day(most)}: {int(inside.max()):,}, usually {usual[most]:,.0f}"


def _closed(first: pd.Timestamp, last: pd.Timestamp) -> str:
    """Say how many public holidays fell into the days, where the country is known."""
    holidays = public_holidays(load_settings().holidays, (day.date() for day in pd.date_range(first, last)))
    return f", with {counted(len(holidays), 'public holiday')} in it" if holidays else ""


def _two_years(warehouse: Warehouse, filters: Filters) -> Filters:
    """Return the filters over the two years up to their end, from a Monday on, whatever beginning they choose.

    What changed shows only against what was before.
    """
    now = as_of(warehouse)
    end = filters.date_to or (now.date() if now else None)
    first = end - timedelta(weeks=LOOKED_BACK, days=end.weekday()) if end else None
    return filters.where(date_from=first)


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
