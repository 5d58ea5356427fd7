"""Waterfalls: how the parts of a change add up to it, each step beginning where the one before ended.

More and less differ by color, and every step has its signed figure beside it: color alone never carries the sign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from analytics.core.quantity import BYTES, format_quantity
from analytics.core.results import MetricResult
from analytics.metrics.change_words import bytes_that_sum
from analytics.reporting.axes import words
from analytics.reporting.drawing import HOVER, blank, plain, value_axis
from analytics.reporting.palette import BLUE, CORAL, GRAY

MORE, LESS, WHOLE = BLUE, CORAL, GRAY


@dataclass(frozen=True)
class Step:
    """One part of a change.

    Attributes
    ----------
    name : what it is called; steps of one figure have different names.
    change : what it adds.
    mark : the group it stands for; ``None`` where it is not made of exams of its own.
    """

    name: str
    change: int
    mark: dict[str, Any] | None = None


def drivers(result: MetricResult, by: Sequence[str], *, top: int = 10) -> go.Figure:
    """Draw a change as the steps of its groups, the largest first, and one step for the others.

    Parameters
    ----------
    result : MetricResult
        Whose value is a change for each of its dimensions.
    by : sequence of str
        The dimensions to draw; the others are summed.
    top : int
        Most groups that have a step of their own.
    """
    names = list(by)
    held = result.frame.groupby(names, dropna=False)[result.value].sum().reset_index()
    held = held.sort_values(result.value, key=abs, ascending=False, kind="stable")
    shown = len(held) if len(held) <= top + 1 else top
    states = _states(result, names)
    steps = [Step(" · ".join(words(name, row[name]) for name in names) + states.get(_key(row, names), ""),
                  int(row[result.value]), {name: plain(row[name]) for name in names})
             for _, row in held.head(shown).iterrows()]
    if len(held) > shown:
        rest = held[result.value].iloc[shown:]
        steps.append(Step(f"{len(rest):,} others", int(rest.sum())))
    return waterfall(steps, result.spec.unit)


def effects(result: MetricResult, columns: Mapping[str, str]) -> go.Figure:
    """Draw a change as the steps of its effects, summed over the groups.

    Parameters
    ----------
    columns : mapping
        Effect column of the frame to its words, in order.
    """
    return waterfall([Step(name.capitalize(), int(result.frame[column].sum())) for column, name in columns.items()],
                     result.spec.unit)


def waterfall(steps: Sequence[Step], unit: str) -> go.Figure:
    """Draw steps as horizontal bars that begin where the one before ended, and the whole change below them."""
    starts, reached = [], 0
    for step in steps:
        starts.append(reached)
        reached += step.change
    drawn = [*steps, Step("Change in all", reached)]
    colors = [*(MORE if step.change >= 0 else LESS for step in steps), WHOLE]
    figure = blank(60 + 28 * max(len(drawn), 2))
    said = signed([step.change for step in steps], reached, unit)
    for marked in (True, False):
        places = [place for place, step in enumerate(drawn) if (step.mark is not None) == marked]
        figure.add_bar(
            orientation="h", y=[drawn[place].name for place in places], x=[drawn[place].change for place in places],
            base=[[*starts, 0][place] for place in places], showlegend=False,
            marker={"color": [colors[place] for place in places], "cornerradius": 2},
            text=[said[place] for place in places], textposition="outside", cliponaxis=False,
            customdata=[drawn[place].mark for place in places] if marked else None,
            hovertext=[f"<b>{drawn[place].name}</b><br>{said[place]}" for place in places], hovertemplate=HOVER)
    low, high = float(min((*starts, reached, 0))), float(max((*starts, reached, 0)))
    room = 0.16 * ((high - low) or 1.0)
    value_axis(figure, high, unit, "Change", axis="x", low=low)
    figure.update_xaxes(range=[low - room, high + room])
    figure.update_yaxes(autorange="reversed", showgrid=False, title_text="", type="category", categoryorder="array",
                        categoryarray=[step.name for step in drawn])
    figure.update_layout(barmode="overlay")
    return figure


def signed(changes: Sequence[int], total: int, unit: str) -> list[str]:
    """Write changes with their sign, so that they sum as printed; their total stands last."""
    if unit == BYTES:
        return bytes_that_sum(changes, total)
    return [("+" if value > 0 else "") + format_quantity(value, unit) for value in (*changes, total)]


def _states(result: MetricResult, names: list[str]) -> dict[tuple[Any, ...], str]:
    """Return what is to be said beside a device: that it is new, or gone, in all that it makes."""
    if "state" not in result.frame or "station_name" not in names:
        return {}
    found: dict[tuple[Any, ...], set[str]] = {}
    for _, row in result.frame.iterrows():
        found.setdefault(_key(row, names), set()).add(str(row["state"]))
    return {key: f" ({state})" for key, states in found.items() if len(states) == 1 for state in states if state}


def _key(row: Any, names: list[str]) -> tuple[Any, ...]:
    return tuple(plain(row[name]) for name in names)
