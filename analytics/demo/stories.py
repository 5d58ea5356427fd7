"""The stories of the demo as ``truth.json`` tells them: what happens, where, from when, how strongly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from analytics.demo import plan
from analytics.demo.arrivals import NEVER, second_of
from analytics.demo.truth import PlantedFault


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


class Institutions:
    """Scanners that write their hospital's name another way (REC605)."""

    def __init__(self, stations: list[plan.Station]) -> None:
        self._names = [station.name for station in stations]
        self.planted = PlantedFault(
            "REC605", "institution spelled two ways", "since a service the scanner writes another InstitutionName in "
            "a share of its studies. Row: station", "station_name", plan.INSTITUTION_VARIANTS[0].share)

    def plant(self, rng: np.random.Generator, frame: pd.DataFrame) -> None:
        """Change the spelling in a share of a month's studies."""
        texts = np.full(len(frame), None, dtype=object)
        for variant in plan.INSTITUTION_VARIANTS:
            here = (frame["station"] == self._names.index(variant.station)) & frame["in_archive"]
            since = frame["start"] >= second_of(variant.since)
            chosen = np.flatnonzero(here & since & (rng.random(len(frame)) < variant.share))
            texts[chosen] = variant.spelling
            if len(chosen) and variant.station not in self.planted.keys:
                self.planted.keys.append(variant.station)
        frame["institution_text"] = texts


class Clocks:
    """Reads by how much each scanner's clock is off in a month (TMP306)."""

    def __init__(self, stations: list[plan.Station]) -> None:
        self._names = [station.name for station in stations]
        self.planted = PlantedFault(
            "TMP306", "clock off", "median of study time minus the RIS's exam start beyond 5 minutes, of at least 20 "
            "exams. Row: station and calendar month", "station_name and month", 0.0)

    def read(self, frame: pd.DataFrame) -> None:
        """Add the scanners whose clock is off in these exams."""
        joined = frame[frame["in_archive"] & frame["in_ris"] & (frame["start"] != NEVER)]
        month = pd.to_datetime(joined["start"], unit="s").dt.strftime("%Y-%m")
        off = (joined["study"] - joined["start"]).groupby([joined["station"], month]).agg(["median", "size"])
        beyond = off[(off["size"] >= 20) & (off["median"].abs() > 300)]
        self.planted.keys += [f"{self._names[station]} {when}" for station, when in beyond.index]
