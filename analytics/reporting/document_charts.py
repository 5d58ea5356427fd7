"""Charts for paper: Vega-Lite drawn to SVG without a browser or a network, in the product's palette."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import vl_convert

from analytics.reporting.axes import ticks
from analytics.reporting.palette import BLUE, CATEGORIES, CORAL, GRAY, GREEN, OCHRE, inks

WIDTH, HEIGHT = 640, 210
FONT = "Libertinus Serif"
_CONFIG: dict[str, Any] = {
    "font": FONT, "background": None, "view": {"stroke": None},
    "axis": {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "gridColor": "#e4e8ec",
             "domainColor": "#9aa5af", "tickColor": "#9aa5af", "labelColor": "#3d4650", "titleColor": "#5f6b76"},
    "legend": {"labelFontSize": 12, "title": None, "orient": "bottom", "columns": 4, "symbolStrokeWidth": 2.5,
               "labelLimit": 0},
}


def _domain(spec: dict[str, Any]) -> list[Any]:
    """Return the categories of a chart's legend."""
    first = spec["layer"][0] if "layer" in spec else spec
    return list(first["encoding"].get("color", {}).get("scale", {}).get("domain", []))


def svg(spec: dict[str, Any], height: int = HEIGHT) -> str:
    """Draw a Vega-Lite specification as SVG."""
    labels = [str(name) for name in _domain(spec)]
    config = {**_CONFIG, "legend": {**_CONFIG["legend"], "columns": 2 if max(map(len, labels), default=0) > 20 else 8}}
    whole = {"$schema": "https://vega.github.io/schema/vega-lite/v6.json", "width": WIDTH, "height": height,
             "autosize": {"type": "fit", "contains": "padding"}, "config": config, **spec}
    return str(vl_convert.vegalite_to_svg(whole, allowed_base_urls=[]))


def _amounts(low: float, high: float, unit: str) -> dict[str, Any]:
    """Return an axis whose ticks are written as people write them: ``1.2 TB``, ``3 h``."""
    values, words = ticks(min(low, 0.0), max(high, 1e-9), unit)
    cases = "".join(f"datum.value == {value!r} ? {word!r} : " for value, word in zip(values, words, strict=True))
    return {"values": values, "labelExpr": f"{cases}''"}


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    shown = frame.copy()
    for column in shown:
        if pd.api.types.is_datetime64_any_dtype(shown[column]):
            shown[column] = shown[column].dt.strftime("%Y-%m-%d")
    return [{name: None if pd.isna(value) else value for name, value in row.items()}
            for row in shown.astype(object).to_dict("records")]


def _colors(dimension: str, categories: list[str]) -> dict[str, Any]:
    chosen = inks(dimension, categories)
    return {"domain": categories, "range": [chosen[name].color for name in categories]}


def stacked_months(frame: pd.DataFrame, value: str, unit: str, title: str, color: str | None = None) -> str:
    """Draw an amount in each month, stacked by a category: columns ``period``, ``value``, ``color``."""
    totals = frame.groupby("period")[value].sum()
    encoding: dict[str, Any] = {
        "x": {"field": "period", "type": "temporal", "title": None, "timeUnit": "utcyearmonth",
              "axis": {"format": "%b %Y", "grid": False, "labelOverlap": True}},
        "y": {"field": value, "type": "quantitative", "title": title, "axis": _amounts(0, float(totals.max()), unit)},
    }
    if color:
        order = frame.groupby(color)[value].sum().sort_values(ascending=False).index.astype(str).tolist()
        encoding["color"] = {"field": color, "type": "nominal", "scale": _colors(color, order)}
    mark = {"type": "bar", "color": BLUE}
    return svg({"data": {"values": _rows(frame)}, "mark": mark, "encoding": encoding})


def lines(frame: pd.DataFrame, x: str, values: dict[str, str], unit: str, title: str, *, dates: bool = True,
          colors: Sequence[str] = CATEGORIES) -> str:
    """Draw several columns of a table as lines: column to label."""
    long = frame.melt(id_vars=[x], value_vars=list(values), var_name="series", value_name="value").dropna()
    long["series"] = long.series.map(values)
    low, high = float(long.value.min()), float(long.value.max())
    place = {"type": "temporal", "timeUnit": "utcyearmonth", "axis": {"format": "%b %Y", "labelOverlap": True,
                                                                      "grid": False}} if dates else {
        "type": "ordinal", "axis": {"labelAngle": 0, "grid": False}}
    labels = list(values.values())
    return svg({
        "data": {"values": _rows(long)}, "mark": {"type": "line", "strokeWidth": 2.2, "point": not dates},
        "encoding": {
            "x": {"field": x, "title": None if dates else x.capitalize(), **place},
            "y": {"field": "value", "type": "quantitative", "title": title, "axis": _amounts(low, high, unit)},
            "color": {"field": "series", "type": "nominal",
                      "scale": {"domain": labels, "range": list(colors[:len(labels)])}},
        }})


def grouped_years(frame: pd.DataFrame, unit: str, title: str) -> str:
    """Draw the columns of a table side by side in each year: index ``year``."""
    long = frame.reset_index().melt(id_vars="year", var_name="series", value_name="value")
    labels = [str(name) for name in frame.columns]
    return svg({
        "data": {"values": _rows(long)}, "mark": {"type": "bar"},
        "encoding": {
            "x": {"field": "year", "type": "ordinal", "title": "Year", "axis": {"labelAngle": 0}},
            "xOffset": {"field": "series", "sort": labels},
            "y": {"field": "value", "type": "quantitative", "title": title,
                  "axis": _amounts(float(long.value.min()), float(long.value.max()), unit)},
            "color": {"field": "series", "type": "nominal",
                      "scale": {"domain": labels, "range": list(CATEGORIES[:len(labels)])}},
        }})


def forecast(frame: pd.DataFrame, unit: str) -> str:
    """Draw what was stored, what is expected with its intervals, and the capacity: of `storage.fill_forecast`."""
    month = {"field": "month", "type": "temporal", "title": None, "timeUnit": "utcyearmonth",
             "axis": {"format": "%b %Y", "labelOverlap": True, "grid": False}}
    high = float(frame[["observed", "upper80", "capacity"]].max().max())
    scale = {"domain": [0, high * 1.05], "clamp": True}
    amount = {"type": "quantitative", "title": "Bytes held", "axis": _amounts(0, high, unit), "scale": scale}
    kinds = {"domain": ["stored", "expected", "capacity"], "range": [BLUE, GREEN, CORAL]}

    def line(field: str, label: str, dash: list[int]) -> dict[str, Any]:
        return {"mark": {"type": "line", "strokeWidth": 2.2, "strokeDash": dash}, "encoding": {
            "x": month, "y": {**amount, "field": field}, "color": {"datum": label, "scale": kinds}}}

    band = {"mark": {"type": "area", "opacity": 0.18, "color": GREEN}, "encoding": {
        "x": month, "y": {**amount, "field": "lower80"}, "y2": {"field": "upper80"}}}
    return svg({"data": {"values": _rows(frame)}, "layer": [
        band, line("observed", "stored", [1, 0]), line("forecast", "expected", [6, 3]),
        line("capacity", "capacity", [2, 2])]})


def swings(frame: pd.DataFrame, npv: float, unit: str) -> str:
    """Draw how far the net present value moves with each assumption: of `analytics.costs.sensitivity.tornado`."""
    order = frame.driver.tolist()
    ends = pd.concat([frame.npv_low, frame.npv_high, pd.Series([npv])])
    spread = max(float(ends.max() - ends.min()), 1.0)
    bounds = [float(ends.min()) - spread * 0.05, float(ends.max()) + spread * 0.05]
    axis = {"format": "~s", "title": f"Net present value ({unit})", "tickCount": 6}

    def bar(column: str, label: str) -> dict[str, Any]:
        return {"mark": {"type": "bar", "height": {"band": 0.65}}, "encoding": {
            "y": {"field": "driver", "type": "nominal", "sort": order, "title": None, "axis": {"labelLimit": 260}},
            "x": {"field": column, "type": "quantitative", "axis": axis,
                  "scale": {"zero": False, "domain": bounds, "nice": False}}, "x2": {"datum": npv},
            "color": {"datum": label, "scale": {"domain": ["20 % less", "20 % more"], "range": [OCHRE, BLUE]}}}}

    rule = {"mark": {"type": "rule", "color": GRAY, "strokeWidth": 1.5}, "encoding": {"x": {"datum": npv}}}
    return svg({"data": {"values": _rows(frame)}, "layer": [
        bar("npv_low", "20 % less"), bar("npv_high", "20 % more"), rule]}, height=30 + 22 * len(frame))
