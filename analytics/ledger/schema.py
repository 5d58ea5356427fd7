"""The ledger's tables and the ordered steps that bring any older ledger to them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData()


class Instant(sa.types.TypeDecorator[datetime]):
    """An instant: aware in Python, UTC in the database, on every engine."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Write an instant as UTC; one without a zone is a fault of ours."""
        if value is not None and value.tzinfo is None:
            raise ValueError("an instant of the ledger needs its zone")
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Read an instant as UTC."""
        return None if value is None else value.replace(tzinfo=UTC)


migrations = sa.Table(
    "ledger_migrations", metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("applied_at", Instant, nullable=False),
)

scenarios = sa.Table(
    "scenarios", metadata,
    sa.Column("scenario_id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String, nullable=False, index=True),
    sa.Column("price_book", sa.Text, nullable=False),        # CSV
    sa.Column("assumptions", sa.Text, nullable=False),       # JSON
    sa.Column("option_ids", sa.Text, nullable=False),        # JSON
    sa.Column("saved_at", Instant, nullable=False),
    sa.Column("saved_by", sa.String, nullable=False),
)
"""Every saving of every scenario; the last of a name is the scenario."""

reviews = sa.Table(
    "reviews", metadata,
    sa.Column("review_id", sa.Integer, primary_key=True),
    sa.Column("finding_key", sa.String, nullable=False, index=True),
    sa.Column("decision", sa.String, nullable=False),
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("reviewed_at", Instant, nullable=False),
    sa.Column("reviewed_by", sa.String, nullable=False),
)

audit = sa.Table(
    "audit", metadata,
    sa.Column("audit_id", sa.Integer, primary_key=True),
    sa.Column("at", Instant, nullable=False, index=True),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("action", sa.String, nullable=False),
    sa.Column("subject", sa.String, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
)

pins = sa.Table(
    "pins", metadata,
    sa.Column("pin_id", sa.Integer, primary_key=True),
    sa.Column("card", sa.Text, nullable=False),              # JSON: which metric, how drawn, with which filters
    sa.Column("pinned", sa.Boolean, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("who", sa.String, nullable=False),
)
"""Charts on the overview: the last entry of a card says whether it is there."""


def _first(connection: sa.Connection) -> None:
    for table in (scenarios, reviews, audit):
        table.create(connection)


def _second(connection: sa.Connection) -> None:
    pins.create(connection)


MIGRATIONS: tuple[Callable[[sa.Connection], Any], ...] = (_first, _second)
"""Number 1 is the first. A step is never changed once released: a new one is added."""
