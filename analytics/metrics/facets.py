"""What filters can be set to: the sites, modalities, devices, classes and priorities a snapshot holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from analytics.core.filters import Filters
from analytics.metrics.scope import Scope, aggregate
from analytics.warehouse.schema import sources
from analytics.warehouse.store import Warehouse


@dataclass(frozen=True)
class Device:
    """A scanner or other modality, by its Station Name (0008,1010)."""

    station_name: str
    site: str | None
    modality: str | None


@dataclass(frozen=True)
class Choices:
    """What each filter can be set to.

    Attributes
    ----------
    first_date, last_date : first and last exam date that can be, on the site's clock.
    as_of : the instant the snapshot is true at (UTC).
    is_demo : some of it is invented.
    """

    sites: tuple[str, ...]
    modalities: tuple[str, ...]
    devices: tuple[Device, ...]
    patient_classes: tuple[str, ...]
    priorities: tuple[str, ...]
    first_date: date | None
    last_date: date | None
    as_of: datetime | None
    is_demo: bool


def filter_choices(warehouse: Warehouse) -> Choices:
    """Return what each filter can be set to, and the period that the snapshot covers."""
    scope = Scope(warehouse, Filters(), sa.true())
    combined = warehouse.arrow(aggregate(
        scope.rows(), ("site", "modality", "station_name", "patient_class", "priority"),
        lambda c: {"first": sa.func.min(c.exam_date, type_=sa.Date), "last": sa.func.max(c.exam_date, type_=sa.Date)},
    )).to_pylist()

    def values(name: str) -> tuple[str, ...]:
        return tuple(sorted({row[name] for row in combined if row[name]}))

    devices = {Device(row["station_name"], row["site"], row["modality"]) for row in combined if row["station_name"]}
    demo = warehouse.count(sa.select(sources.c.source_id).where(sources.c.is_demo))
    return Choices(
        values("site"), values("modality"),
        tuple(sorted(devices, key=lambda device: (device.station_name, device.site or "", device.modality or ""))),
        values("patient_class"), values("priority"),
        min((row["first"] for row in combined), default=None), max((row["last"] for row in combined), default=None),
        scope.as_of, demo > 0)
