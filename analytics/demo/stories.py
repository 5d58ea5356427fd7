"""The stories of the demo as ``truth.json`` tells them: what happens, where, from when, how strongly."""

from __future__ import annotations

from typing import Any

from analytics.demo import plan


def stories() -> list[dict[str, Any]]:
    """Return the stories that follow from the plan alone."""
    return [
        {"story": "scanner clock drifts", "station_name": plan.DRIFT.station, "from": plan.DRIFT.since.isoformat(),
         "minutes_per_week": plan.DRIFT.minutes_per_week,
         "definition": "study time runs ahead of the RIS's exam start by this much more each week"},
        {"story": "scanner begins to fail", "station_name": plan.FAILING.station,
         "from": plan.FAILING.since.isoformat(), "ramp_days": plan.FAILING.ramp_days,
         "duration_factor": plan.FAILING.duration_factor, "repeats_per_study": plan.FAILING.repeats_per_study,
         "incomplete_share": plan.FAILING.incomplete_share,
         "noise_percent_per_week": plan.FAILING.noise_percent_per_week,
         "definition": "exams last longer, series are repeated, studies stay incomplete, phantom images get noisier"},
        {"story": "holiday backlog", "from": plan.BACKLOG.since.isoformat(), "to": plan.BACKLOG.until.isoformat(),
         "factor": plan.BACKLOG.factor,
         "definition": "reading of all but stat exams made ready in these days takes this many times as long"},
        {"story": "reading slows", "site": plan.SITES[plan.SLOW_READING.site].name,
         "from": plan.SLOW_READING.since.isoformat(), "factor": plan.SLOW_READING.factor,
         "definition": "time from ready to final report, before the wait for the next working morning"},
    ]
