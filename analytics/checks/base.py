"""Declaring a check: one small class whose prose is the product.

A check is a select over the rows it applies to, one row a candidate, that says for each whether the condition
is violated and what was seen. The runner counts the candidates (the denominator) and keeps the violations,
so a check never counts by itself and its rate is always of the same rows.
"""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy as sa

from analytics.core.findings import CheckSpec
from analytics.core.registry import Registry

CHECKS: Registry[Check] = Registry("check")

FINDING_COLUMNS = (
    "source_id", "study_instance_uid", "series_instance_uid", "sop_instance_uid", "path", "accession_number",
    "site", "modality", "station_name", "found_date",
)
"""What `Check.candidates` may label besides ``violated`` and ``evidence``; what it leaves out is empty."""


class Check:
    """The base of every check; subclassing with a ``spec`` registers it."""

    spec: ClassVar[CheckSpec]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "spec" in cls.__dict__:
            CHECKS.add(cls.spec.id, cls())

    def candidates(self) -> sa.Select[Any]:
        """Return one row for each thing the check applies to.

        Columns: ``source_id`` (always), ``violated`` (boolean, never null), ``evidence`` (text: what was seen,
        never a patient's identity), and any of `FINDING_COLUMNS`.
        """
        raise NotImplementedError(f"{type(self).__name__} says no candidates")
