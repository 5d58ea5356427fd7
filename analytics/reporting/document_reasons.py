"""The board report's reasons: what drove a change, what open exams hide, whether the queue clears, what is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from analytics.core.quantity import format_quantity
from analytics.core.results import MetricResult
from analytics.metrics.sources_silence import SILENT
from analytics.reporting.axes import label_of, words
from analytics.reporting.document import Block, Prose, Section, table

Metrics = Mapping[str, MetricResult]
ASKED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("volume.drivers", {}), ("volume.year_on_year", {}), ("volume.change_points", {}),
    ("turnaround.with_open_cases", {"by": "priority"}), ("turnaround.breaches", {"by": "priority"}),
    ("backlog.clearance", {}), ("storage.growth", {}), ("network.by_site", {}), ("sources.silent_devices", {}))
"""The metrics that these parts need, with what each is asked for."""
MONTHS, DRIVERS = 12, 8


def _cell(result: MetricResult, row: Mapping[Any, Any], name: str) -> str:
    value = row[name]
    return format_quantity(None if pd.isna(value) else float(value), result.unit_of(name))


def _signed(result: MetricResult, row: Mapping[Any, Any], name: str) -> str:
    written = _cell(result, row, name)
    return f"+{written}" if not pd.isna(row[name]) and row[name] > 0 else written


def volume_reasons(metrics: Metrics) -> list[Block]:
    """Say what drove the change in volume, each month against a year before, and since when levels changed."""
    drivers, years = metrics["volume.drivers"], metrics["volume.year_on_year"]
    blocks: list[Block] = []
    if len(drivers.frame):
        rows = [(*(words(name, row[name]) for name in drivers.dimensions), f"{int(row['before']):,}",
                 f"{int(row['this']):,}", f"{int(row['change']):+,}")
                for row in drivers.frame.head(DRIVERS).to_dict("records")]
        blocks.append(table([*((label_of(name), "left") for name in drivers.dimensions), ("Before", "right"),
                             ("Now", "right"), ("Change", "right")], rows, "What drove the change",
                            " ".join(drivers.notes), small=True))
    if len(years.frame):
        rows = [(f"{row['period']:%b %Y}", f"{int(row['studies']):,}", f"{int(row['before']):,}",
                 _signed(years, row, "change"), _signed(years, row, "adjusted"))
                for row in years.frame.tail(MONTHS).to_dict("records")]
        blocks.append(table([("Month", "left"), ("Studies", "right"), ("A year before", "right"), ("Change", "right"),
                             ("Per working day", "right")], rows, "Against the same month a year before",
                            " ".join(years.notes), small=True))
    return [*blocks, *(Prose(note) for note in metrics["volume.change_points"].notes)]


def turnaround_reasons(metrics: Metrics) -> list[Block]:
    """Set the estimate with open exams beside the figure of finished ones, and say how targets were kept."""
    with_open, kept = metrics["turnaround.with_open_cases"], metrics["turnaround.breaches"]
    blocks: list[Block] = []
    if len(with_open.frame):
        rows = [(words("priority", row["priority"]), f"{int(row['open']):,}",
                 *(_cell(with_open, row, name) for name in ("median_finished", "median", "p90_finished", "p90")))
                for row in with_open.frame.to_dict("records")]
        blocks.append(table([("Priority", "left"), ("Open", "right"), ("Median, finished", "right"),
                             ("Median, all", "right"), ("90 % in, finished", "right"), ("90 % in, all", "right")],
                            rows, "With the exams that are still open",
                            " ".join(with_open.notes[:2]), small=True))
    if len(kept.frame):
        judged = [(words("priority", row["priority"]), f"{int(row['in_time']):,}", f"{int(row['late']):,}",
                   f"{int(row['overdue']):,}", _cell(kept, row, "kept")) for row in kept.frame.to_dict("records")]
        blocks.append(table([("Priority", "left"), ("In time", "right"), ("Late", "right"),
                             ("Overdue, still open", "right"), ("Kept", "right")], judged, "Targets",
                            " ".join(kept.notes), small=True))
    return blocks


def backlog_reasons(metrics: Metrics) -> list[Block]:
    """Say whether the queue of unread exams clears, and when."""
    return [Prose(note) for note in metrics["backlog.clearance"].notes[:2]]


def storage_reasons(metrics: Metrics) -> list[Block]:
    """Say what the growth of storage is made of."""
    return [Prose(note) for note in metrics["storage.growth"].notes]


def operations(metrics: Metrics) -> list[Block]:
    """Say which link each site needs, and which devices have fallen silent."""
    links, silent = metrics["network.by_site"], metrics["sources.silent_devices"]
    blocks: list[Block] = []
    if len(links.frame):
        rows = [(words("site", row["site"]), *(_cell(links, row, name) for name in (
            "mean", "busy", "peak", "link_now", "link_later"))) for row in links.frame.to_dict("records")]
        blocks += [Section("Network"), table(
            [("Site", "left"), ("Mean", "right"), ("Busy hour", "right"), ("Peak hour", "right"),
             ("Link needed now", "right"), ("In 3 years", "right")], rows, caption=" ".join(links.notes), small=True)]
    stopped = silent.frame[silent.frame.state == SILENT]
    if len(stopped):
        rows = [(words("site", row["site"]), str(row["station_name"]), f"{row['latest']:%-d %b %Y}",
                 f"{int(row['working_days']):,}") for row in stopped.to_dict("records")]
        blocks += [Section("Devices that have fallen silent"), table(
            [("Site", "left"), ("Device", "left"), ("Latest study", "left"), ("Working days since", "right")], rows,
            caption=silent.spec.definition, small=True)]
    return blocks
