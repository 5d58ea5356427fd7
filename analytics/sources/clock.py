"""Clocks of devices that run ahead of the archive: studies that begin, as they say, after they were received."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from analytics.warehouse.expressions import count_where, literal, minutes_between
from analytics.warehouse.schema import studies

_DAY = 24 * 60
AHEAD = "studies are dated later than the archive received them: their exam is placed at the reception"
FAR_AHEAD = "of these by more than 24 hours (check TMP301)"


def clock_notes(source_id: str) -> sa.Select[Any]:
    """Return how many of a source's studies are dated after their reception, for the record of its load.

    Returns
    -------
    Select
        One row: ``ahead``, the studies whose `study_at` is later than `stored_at`; ``far_ahead``, those of them by more
        than 24 hours.
    """
    later = minutes_between(studies.c.stored_at, studies.c.study_at)
    counted: list[sa.Label[Any]] = [
        count_where(studies.c.study_at > studies.c.stored_at).label("ahead"),
        count_where(later > literal(_DAY)).label("far_ahead")]
    return sa.select(*counted).where(studies.c.source_id == source_id)
