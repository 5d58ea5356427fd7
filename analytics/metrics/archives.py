"""The archives a site has, and which of them holds a study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.warehouse.schema import archives, exams
from analytics.warehouse.store import Warehouse


@dataclass(frozen=True)
class Archive:
    """One store of images.

    Attributes
    ----------
    site : whose it is; empty where it serves all sites.
    storage_tier : which studies of the site it holds; empty where all.
    capacity_bytes : what it can hold.
    used_bytes_before : what it held before the index begins.
    """

    name: str
    site: str | None
    storage_tier: str | None
    capacity_bytes: int
    used_bytes_before: int


def read_archives(warehouse: Warehouse, filters: Filters) -> list[Archive]:
    """Return the archives that serve the sites filtered for, by name."""
    rows = warehouse.arrow(sa.select(archives).order_by(archives.c.archive, archives.c.source_id)).to_pylist()
    names = [row["archive"] for row in rows]
    return [
        Archive(row["archive"] if names.count(row["archive"]) == 1 else f"{row['archive']} ({row['source_id']})",
                row["site"] or None, row["storage_tier"] or None, row["capacity_bytes"], row["used_bytes_before"])
        for row in rows if not filters.sites or not row["site"] or row["site"] in filters.sites
    ]


def archive_of(known: Sequence[Archive]) -> sa.ColumnElement[Any]:
    """Return the archive that holds a study, as a column: the one most narrowly meant for its site and tier.

    A study whose tier is not stated goes to its site's archive of whatever tier comes first.
    """
    narrowest = sorted(known, key=lambda item: (item.site is None, item.storage_tier is None, item.name))
    steps = [(sa.and_(_serves(exams.c.site, item.site), sa.or_(
        exams.c.storage_tier.is_(None), _serves(exams.c.storage_tier, item.storage_tier))), sa.literal(item.name))
        for item in narrowest]
    return sa.case(*steps) if steps else sa.cast(sa.null(), sa.String)


def _serves(column: sa.ColumnElement[Any], value: str | None) -> sa.ColumnElement[bool]:
    return sa.true() if value is None else column == value
