"""One scale for charts that stand side by side: two bars of one length then mean the same."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import plotly.graph_objects as go

Extent = tuple[float, float]
_ROOM = 1.06
"""A highest mark keeps this much of its height free above it."""


def same_scale(first: go.Figure, second: go.Figure) -> None:
    """Give two figures of one kind the same axis of values and of groups, and one color for one amount."""
    _same_groups(first, second)
    for axis in ("xaxis", "yaxis", "yaxis2"):
        extents = [extent for figure in (first, second) if (extent := _extent(figure, axis)) is not None]
        if len(extents) == 2:
            _share(first, second, axis, (min(low for low, _ in extents), max(high for _, high in extents)))
    highest = [max(abs(float(amount)) for amount in trace.marker.color) for figure in (first, second)
               for trace in figure.data if _colors_amounts(trace) and len(trace.marker.color)]
    for trace in (*first.data, *second.data):
        if _colors_amounts(trace) and highest:
            trace.marker.cmax = max(highest)
            if trace.marker.cmin < 0:  # signed amounts: nothing stays in the middle
                trace.marker.cmin = -max(highest)


def _share(first: go.Figure, second: go.Figure, axis: str, extent: Extent) -> None:
    wider = max((first, second), key=lambda figure: _width(_extent(figure, axis)))
    ticks = {name: wider.layout[axis][name] for name in ("tickvals", "ticktext")}
    for figure in (first, second):
        figure.layout[axis].update(range=list(extent), **ticks)


def _width(extent: Extent | None) -> float:
    return extent[1] - extent[0] if extent else 0.0


def _same_groups(first: go.Figure, second: go.Figure) -> None:
    """Put groups that are listed one below the other at the same places, where the figures say their order.

    A group that only one of them has is a free place in the other.
    """
    axes = (first.layout.yaxis, second.layout.yaxis)
    orders = [list(axis.categoryarray or ()) for axis in axes]
    if not all(orders) or any(axis.autorange == "reversed" for axis in axes):
        return  # no order is said, or it is of steps that follow from each other
    # Both list their last group first, as an axis counts from below
    every = [*(name for name in orders[1] if name not in orders[0]), *orders[0]]
    more = max(len(every) / len(order) * (figure.layout.height or 0)
               for order, figure in zip(orders, (first, second), strict=True))
    for figure in (first, second):
        figure.layout.yaxis.update(categoryarray=every, range=[-0.5, len(every) - 0.5])
        figure.layout.height = round(more)


def _colors_amounts(trace: Any) -> bool:
    return trace.type == "bar" and trace.marker.cmin is not None and trace.marker.color is not None


def _extent(figure: go.Figure, axis: str) -> Extent | None:
    """Return the range of an axis of values; ``None`` where the axis is of groups, or nothing is drawn on it."""
    letter, number = axis[0], axis.removeprefix("xaxis").removeprefix("yaxis")
    traces = [trace for trace in figure.data if (getattr(trace, f"{letter}axis", None) or letter) == letter + number]
    along = "x" if any(map(_lies, figure.data)) else "y"
    if letter != along or not traces or any(trace.type == "bar" and trace.base is not None for trace in traces):
        return None
    fixed = figure.layout[axis].range
    if fixed is not None:
        return float(min(fixed)), float(max(fixed))
    low, high = _drawn(figure, traces, along)
    if _shows_changes(figure, traces, axis):
        values = _values(traces, along)
        low, high = min(values), max(values)
        room = (_ROOM - 1) * ((high - low) or abs(high))
        return (max(0.0, low - room) if low > 0 else low), high + room
    return min(low, 0.0), high * _ROOM if high > 0 else 0.0


def _lies(trace: Any) -> bool:
    """Whether a trace has its groups one below the other, and its values along."""
    names = trace.y is not None and len(trace.y) and isinstance(trace.y[0], str)
    return bool(names or (trace.type == "bar" and trace.orientation == "h"))


def _shows_changes(figure: go.Figure, traces: list[Any], axis: str) -> bool:
    """Whether lines and marks show how a level changes, and not how much there is: nothing need not be in view."""
    plain = all(trace.type == "scatter" and not trace.stackgroup and trace.fill in (None, "none") for trace in traces)
    return plain and figure.layout[axis].rangemode != "tozero" and bool(_values(traces, "y"))


def _values(traces: list[Any], along: str) -> list[float]:
    every = (value for trace in traces for value in (() if getattr(trace, along) is None else getattr(trace, along)))
    return [float(value) for value in every if isinstance(value, int | float) and value == value]


def _drawn(figure: go.Figure, traces: list[Any], along: str) -> Extent:
    """Return the least and the greatest value drawn: of bars and areas on top of each other, that of the pile."""
    across = "x" if along == "y" else "y"
    piles: dict[object, float] = defaultdict(float)
    single = [0.0]
    for trace in traces:
        piled = (trace.type == "bar" and figure.layout.barmode in ("stack", "relative")) or bool(
            getattr(trace, "stackgroup", None))
        places, values = (getattr(trace, name) for name in (across, along))
        for place, value in () if values is None or places is None else zip(places, values, strict=False):
            if value is None or value != value:  # a gap
                continue
            if piled:
                piles[place] += float(value)
            else:
                single.append(float(value))
    every = [*single, *piles.values()]
    return min(every), max(every)
