"""Weekly series of studies a working day, looked at together for the weeks in which each changed for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from analytics.metrics.change_points import SHUFFLES
from analytics.metrics.change_segments import SHORTEST, Found, best, history, season, unchanged
from analytics.metrics.change_words import change_sentence, first_sentence, looked_at_sentences, series_name
from analytics.metrics.volume_days import begins

FEWEST = 50
"""Studies of a series in all, to be looked at."""
BY_CHANCE = 0.01
STEADY = 0.001
"""The smallest p that is looked for where a straight line fits as well: no week of it is named."""
FOUND = ("level", "kind", "earliest", "latest", "level_before", "level_after", "slope", "p", "said")
_WEEKS_OF_MONTH = 365.2425 / 7 / 12


class Line:
    """One series: its weeks from its first on, and what was found in them.

    Parameters
    ----------
    groups, key : the columns of the group, and its values.
    counts : studies on working days, by the week's Monday.
    days : working days of each week that has one.
    """

    def __init__(self, groups: tuple[str, ...], key: tuple[Any, ...], counts: pd.Series[int],
                 days: pd.Series[int]) -> None:
        self.key, self.days = tuple(None if pd.isna(value) else value for value in key), days
        self.counts = counts.reindex(days.index, fill_value=0)
        self.name = series_name(dict(zip(groups, self.key, strict=True)))
        first = begins(self.counts)
        self.begins = int(self.days.index.get_indexer([first])[0]) if first is not None else 0
        self.start = self.begins + 1  # the first week is seldom whole
        self.weeks = ((days.index - days.index[0]).days.to_numpy() // 7).astype(float)[self.start:]
        self.values = (self.counts / days).to_numpy(dtype=float)[self.start:]
        self.history = unchanged(self.weeks, self.values, steady=False)

    @property
    def enough(self) -> bool:
        """Whether there is enough of it to be looked at."""
        return len(self.values) >= 3 * SHORTEST and int(self.counts.iloc[self.start:].sum()) >= FEWEST

    def week(self, place: int) -> pd.Timestamp:
        """Return the Monday of a place among the weeks that are looked at."""
        return self.days.index[self.start + place]

    def changes(self) -> pd.DataFrame:
        """Return its changes, one row each under its week, and the week that it begins in."""
        told: list[dict[str, Any]] = []
        if self.begins and self.enough:
            first = self.days.index[self.begins]
            told.append({"period": first, "kind": "first", "said": first_sentence(self.name, first)})
        for one in self.history.changes:
            row = {"period": self.week(one.first), "kind": one.kind, "earliest": self.week(one.earliest),
                   "latest": self.week(one.latest), "level_before": one.before, "level_after": one.after,
                   "slope": one.slope * _WEEKS_OF_MONTH, "p": one.p}
            told.append({**row, "said": change_sentence(self.name, row)})
        return pd.DataFrame(told, columns=["period", *FOUND[1:]])


def look(series: Sequence[Line]) -> tuple[str, ...]:
    """Look at series for changes, as one family: each keeps its own; what was found is returned in words."""
    looked = [line for line in series if line.enough]
    shuffles = shuffles_for(len(looked), BY_CHANCE)
    tops = [best(line.weeks, line.values, season(line.weeks), shuffles) for line in looked]
    corrected = holm([top.p if top and top.kind != "line" else 1.0 for top in tops])
    for line, top, p in zip(looked, tops, corrected, strict=True):
        if top and top.kind != "line" and p <= BY_CHANCE:
            seen = history(line.weeks, line.values, top, BY_CHANCE / len(looked), shuffles)
            line.history = replace(seen, changes=tuple(_corrected(one, top, p, len(looked)) for one in seen.changes))
        elif top and top.kind == "line":
            line.history = unchanged(line.weeks, line.values, steady=top.p <= STEADY)
    told = pd.concat([line.changes() for line in series]) if series else pd.DataFrame({"period": [], "said": []})
    said = told.sort_values("period", ascending=False, kind="stable").said
    return (*said, *looked_at_sentences(
        len(looked), sum(bool(line.history.changes) for line in series),
        [line.name for line in series if line.history.steady], len(series) - len(looked)))


def holm(p: list[float]) -> list[float]:
    """Return each p corrected for how many there are (Holm, Scand J Stat 6, 1979)."""
    order = sorted(range(len(p)), key=lambda place: p[place])
    corrected, most = [1.0] * len(p), 0.0
    for rank, place in enumerate(order):
        most = max(most, min(1.0, (len(p) - rank) * p[place]))
        corrected[place] = most
    return corrected


def shuffles_for(series: int, limit: float) -> int:
    """Return how many shuffled series let the smallest p, corrected for so many series, be a fifth of the limit."""
    return min(max(SHUFFLES, int(np.ceil(2 * series / (limit / 5)))), 50_000)


def _corrected(one: Found, top: Found, p: float, series: int) -> Found:
    """Correct the p of a change for the series looked at: that of the first by Holm, of a further one by Bonferroni."""
    return replace(one, p=p if one.first == top.first else min(1.0, max(one.p * series, p)))


def weeks_of(series: Sequence[Line], groups: tuple[str, ...]) -> pd.DataFrame:
    """Return every week of every series from its first on, its level, and what changed in it."""
    parts = []
    for line in series:
        part = pd.DataFrame({
            "period": line.days.index, **dict(zip(groups, line.key, strict=True)), "studies": line.counts.to_numpy(),
            "working_days": line.days.to_numpy(), "per_working_day": (line.counts / line.days).to_numpy(dtype=float)})
        part["level"] = pd.Series(line.history.level, index=part.index[line.start:], dtype=float)
        part = part.merge(line.changes(), on="period", how="left")
        parts.append(part[(part.index >= line.begins) | (part.studies > 0)])
    if not parts:
        columns = ("period", *groups, "studies", "working_days", "per_working_day", *FOUND)
        return pd.DataFrame({name: [] for name in columns})
    return pd.concat(parts, ignore_index=True).sort_values("period", kind="stable").reset_index(drop=True)
