"""What a check says: the condition that should hold, how often it did not, and where."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How sure the standard is: error, it says shall; warning, should or a profile; info, worth a look."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Outcome(StrEnum):
    """How one run of a check ended."""

    PASSED = "passed"
    VIOLATED = "violated"
    NOT_APPLICABLE = "not applicable"
    FAILED = "failed"


@dataclass(frozen=True)
class CheckSpec:
    """What a check is, in the words that are the product.

    Attributes
    ----------
    id : permanent id, never reused: ``DCM101``.
    name : the condition that should hold, as a statement.
    severity : error, warning or info.
    category : conformance, identity, temporal, geometry, anatomy, reconciliation or image.
    definition : what is counted (denominator) and what violates it.
    citation : standard or paper, with section and edition.
    fix_technologist : what the technologist does about one finding.
    fix_administrator : what the PACS administrator does so that it stops.
    """

    id: str
    name: str
    severity: Severity
    category: str
    definition: str
    citation: str
    fix_technologist: str
    fix_administrator: str


@dataclass(frozen=True)
class CheckRun:
    """One run of one check: how many rows it looked at and how many violated it.

    A denominator of 0 is *not applicable*, never 0 %. ``error`` holds one line where the check failed.
    """

    check_id: str
    outcome: Outcome
    violated: int
    denominator: int
    error: str = ""

    @property
    def rate(self) -> float | None:
        """Return violated / denominator in percent, ``None`` where nothing applies."""
        return 100 * self.violated / self.denominator if self.denominator else None
