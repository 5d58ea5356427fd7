"""Exam durations of a device against other devices that do the same procedure."""

from __future__ import annotations

import pandas as pd
import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.core.quantity import EXAMS, MINUTES, PERCENT
from analytics.core.results import LeftOut, MetricResult, MetricSpec
from analytics.metrics.base import METRICS, metric
from analytics.metrics.scope import aggregate
from analytics.metrics.utilization import Timed
from analytics.warehouse.expressions import quantile
from analytics.warehouse.store import Warehouse

FEWEST_EXAMS = 20
"""A median of fewer exams says little."""
_GROUPS = ("site", "station_name", "modality", "description")


@metric(MetricSpec(
    "utilization.by_procedure", "Exam duration against peers",
    "Median minutes from ProcedureStart to ImagingComplete of a procedure on a device, against its peers: the median "
    "of the medians of every other device that does the same procedure of the same modality, each device once. Beside "
    "it the difference in percent, and the hours that the device's exams took more than at its peers' median. A device "
    f"with fewer than {FEWEST_EXAMS} exams of a procedure, and a procedure that one device alone does, are left out "
    "and counted, as are exams without both times, that end before they start or last a day or more.",
    PERCENT, "lower", "SIIM SWIM lexicon, 2015-06-18: AcquisitionDuration", "RID45981"))
def duration_against_peers(warehouse: Warehouse, filters: Filters, fewest: int = FEWEST_EXAMS) -> MetricResult:
    """Compare each device's duration of a procedure with that of the devices that do it too.

    The filters choose the peers as well: of one site, only its own devices are compared.

    Returns
    -------
    MetricResult
        Columns ``site``, ``station_name``, ``modality``, ``description``, ``exams``, ``median``, ``peers`` (minutes),
        ``devices`` (peers counted), ``longer`` (percent), ``extra`` (hours), ``what`` (device and procedure in words);
        the most hours first.
    """
    timed = Timed(warehouse, filters)
    rows = timed.rows()
    every = warehouse.read(aggregate(rows, _GROUPS, lambda c: {
        "exams": sa.func.count(), "median": quantile(c.minutes, 0.5)}))
    named = every.description.notna() & every.station_name.notna()
    enough = every[named & (every.exams >= fewest)]
    frame = _with_peers(enough)
    alone = int(enough.exams.sum() - frame.exams.sum())
    left = (LeftOut("no procedure or device named", int(every.exams[~named].sum())),
            LeftOut(f"fewer than {fewest} exams of the procedure on the device",
                    int(every.exams[named].sum() - enough.exams.sum())),
            LeftOut("no other device does the procedure as often", alone))
    return MetricResult(
        METRICS["utilization.by_procedure"].spec, frame, "longer", _GROUPS, int(frame.exams.sum()), warehouse.revision,
        {"exams": EXAMS, "median": MINUTES, "peers": MINUTES, "devices": "{device}", "extra": "h"},
        (*timed.left_out, *(item for item in left if item.n)), rows,
        float(frame.longer.max()) if len(frame) else None)


def _with_peers(medians: pd.DataFrame) -> pd.DataFrame:
    """Add to each device's median of a procedure that of its peers; without peers it is not there."""
    lines = []
    for _, same in medians.groupby(["modality", "description"], dropna=False):
        for place, row in enumerate(same.itertuples(index=False)):
            others = same["median"].drop(same.index[place])
            if len(others):
                peers = float(others.median())
                lines.append((*(getattr(row, name) for name in _GROUPS), row.exams, row.median, peers, len(others),
                              100 * (row.median / peers - 1) if peers else float("nan"),
                              (row.median - peers) * row.exams / 60))
    frame = pd.DataFrame(lines, columns=[*_GROUPS, "exams", "median", "peers", "devices", "longer", "extra"])
    frame = frame.astype({"exams": "int64", "devices": "int64", "longer": "float64"})
    frame["what"] = frame.station_name + ": " + frame.description
    return frame.sort_values("extra", ascending=False, kind="stable").reset_index(drop=True)
