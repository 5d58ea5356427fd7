"""What was planted: the answer book that what the workbench finds is checked against."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from analytics.demo import plan


@dataclass
class PlantedFault:
    """One kind of fault.

    Attributes
    ----------
    check_id : the check that should find it.
    kind : short name.
    definition : where it was planted, and what a row of the check is.
    key : what ``keys`` are: ``study_instance_uid``, ``series_instance_uid``, ``accession_number``, ``patient_id``,
        ``station_name`` or ``station_name and month``.
    rate : planned share of the candidates.
    keys : every planted one.
    studies : where a key is not a study: the StudyInstanceUIDs that belong to each key.
    """

    check_id: str
    kind: str
    definition: str
    key: str
    rate: float
    keys: list[str] = field(default_factory=list)
    studies: dict[str, list[str]] = field(default_factory=dict)

    @property
    def planted(self) -> int:
        """How many were planted."""
        return len(self.keys)


@dataclass
class Truth:
    """Everything that was planted in one demo, as ``truth.json`` holds it.

    ``sources`` are those in which it was planted: what is found in another, real images say, is no false positive.
    """

    seed: int
    scale: float
    counts: dict[str, int]
    faults: list[PlantedFault]
    stories: list[dict[str, Any]]
    images: list[dict[str, Any]] = field(default_factory=list)
    sources: tuple[str, ...] = (plan.ARCHIVE_SOURCE, plan.RIS_SOURCE, plan.IMAGES_SOURCE)

    def keys(self, check_id: str) -> set[str]:
        """Return every planted key of a check."""
        return {key for fault in self.faults if fault.check_id == check_id for key in fault.keys}

    def write(self, path: Path) -> None:
        """Write the truth as JSON, the same bytes for the same truth."""
        content = asdict(self)
        for fault, planted in zip(content["faults"], self.faults, strict=True):
            fault["planted"] = planted.planted
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Truth:
        """Read a truth file."""
        content = json.loads(path.read_text(encoding="utf-8"))
        names = PlantedFault.__dataclass_fields__
        content["faults"] = [PlantedFault(**{name: fault[name] for name in names}) for fault in content["faults"]]
        return cls(**{**content, "sources": tuple(content["sources"])})
