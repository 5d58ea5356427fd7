"""One study's events along a line, each with its label and how long after the one before it came."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from analytics.core.quantity import MINUTES, format_quantity
from analytics.reporting.drawing import HOVER, blank
from analytics.reporting.palette import BLUE, FAINT, GRAY


def timeline(events: pd.DataFrame, zone: str) -> go.Figure:
    """Draw a study's events in their order, one row each, with the time that passed since the one before.

    Parameters
    ----------
    events : DataFrame
        Columns ``event_at`` (UTC), ``label``, ``source_id``, in order.
    zone : str
        IANA zone of the site's clocks.
    """
    local = events["event_at"].dt.tz_convert(zone)
    waited = events["event_at"].diff().dt.total_seconds() / 60
    figure = blank(64 + 30 * max(len(events), 2))
    rows = list(range(len(events)))
    figure.add_scatter(
        x=[instant.isoformat() for instant in local.dt.tz_localize(None)], y=rows, mode="lines+markers",
        line={"color": FAINT, "width": 2, "shape": "vh"}, showlegend=False, hovertemplate=HOVER,
        marker={"size": 11, "color": [GRAY if source == "" else BLUE for source in events["source_id"]]},
        hovertext=[f"<b>{label}</b><br>{instant:%Y-%m-%d %H:%M:%S}<br>{source}" for label, instant, source in
                   zip(events["label"], local, events["source_id"], strict=True)])
    for row, instant, minutes in zip(rows, local, waited, strict=True):
        after = "" if pd.isna(minutes) else f"  + {format_quantity(float(minutes), MINUTES)}"
        figure.add_annotation(x=instant.tz_localize(None).isoformat(), y=row, text=f"{instant:%H:%M}{after}",
                              showarrow=False, xanchor="left", xshift=12, font_size=11)
    figure.update_yaxes(tickvals=rows, ticktext=[str(label) for label in events["label"]], autorange="reversed",
                        showgrid=False)
    span = local.max() - local.min() if len(events) else pd.Timedelta(hours=1)
    pad = max(span * 0.04, pd.Timedelta(minutes=5))
    figure.update_xaxes(showgrid=True, range=[(local.min() - pad).tz_localize(None).isoformat(),
                                              (local.max() + pad * 5).tz_localize(None).isoformat()])
    return figure
