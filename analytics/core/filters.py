"""The one set of filters every surface uses: dates, sites, modalities, devices, class, priority."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Self

from analytics.core.errors import PacsmeterError


@dataclass(frozen=True)
class Filters:
    """Which exams an answer covers; an empty tuple means all, ``None`` an open end.

    Attributes
    ----------
    date_from, date_to : first and last exam date (site-local, both included).
    sites, modalities, station_names, patient_classes, priorities : values kept.
    """

    date_from: date | None = None
    date_to: date | None = None
    sites: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()
    station_names: tuple[str, ...] = ()
    patient_classes: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.date_from and self.date_to and self.date_from > self.date_to:
            raise PacsmeterError(
                f"The period ends ({self.date_to}) before it starts ({self.date_from})",
                "Choose a first date that is not after the last.",
            )

    def where(self, **changes: object) -> Self:
        """Return a copy with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def to_query(self) -> dict[str, list[str]]:
        """Write the filters as query parameters of a link, leaving out what is open."""
        query: dict[str, list[str]] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value:
                query[field.name] = list(value) if isinstance(value, tuple) else [value.isoformat()]
        return query

    @classmethod
    def from_query(cls, query: dict[str, list[str]]) -> Self:
        """Read filters from query parameters; unknown names are passed over, a bad date is an error."""
        kept: dict[str, object] = {}
        for field in fields(cls):
            values = query.get(field.name)
            if not values:
                continue
            if field.name.startswith("date_"):
                try:
                    kept[field.name] = date.fromisoformat(values[0])
                except ValueError as error:
                    raise PacsmeterError(
                        f"The link has a date that cannot be read ({values[0]!r})",
                        "Write dates as 2026-01-31.", field.name,
                    ) from error
            else:
                kept[field.name] = tuple(values)
        return cls(**kept)  # type: ignore[arg-type]
