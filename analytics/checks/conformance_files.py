"""Conformance of files: is every file of the archive's tree whole?"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from analytics.checks.base import Check
from analytics.checks.wording import evidence, number, violated
from analytics.core.findings import CheckSpec, Severity
from analytics.warehouse.expressions import literal
from analytics.warehouse.schema import files

_NANOSECONDS = 1e9
_OBJECTS = ("read", "truncated", "unreadable")
_modified = sa.func.to_timestamp(sa.cast(files.c.modified_ns, sa.Double) / literal(_NANOSECONDS))
_FILE = (files.c.source_id, files.c.path, files.c.sop_instance_uid, sa.cast(_modified, sa.Date).label("found_date"))


def _status_in(*statuses: str) -> sa.ColumnElement[bool]:
    return files.c.status.in_([literal(status) for status in statuses])


class FileHoldsBytes(Check):
    """A file of zero bytes: an image that the archive lists and does not have."""

    spec = CheckSpec(
        id="DCM101", name="Every file holds bytes", severity=Severity.ERROR, category="conformance",
        definition="Denominator: files in the archive's tree. Violated where a file's size is zero bytes.",
        citation="DICOM PS3.10 2024e, 7.1: a DICOM file begins with a 128-byte preamble and the prefix DICM",
        fix_technologist="If the images are still on the device, send them again before it deletes them.",
        fix_administrator="Restore the file from backup or a second copy, then look at the day's log of the file "
                          "system: a full disk or a cut write leaves empty files, and seldom only one.",
    )

    def candidates(self) -> sa.Select[Any]:
        return sa.select(*_FILE, violated(_status_in("empty")), evidence("the file is empty (0 bytes)"))


class FileIsComplete(Check):
    """A DICOM file that ends early or cannot be parsed."""

    spec = CheckSpec(
        id="DCM102", name="Every DICOM file is complete and readable", severity=Severity.ERROR, category="conformance",
        definition="Denominator: files that hold a DICOM object, or should. Violated where the file ends before its "
                   "last element does, or its elements cannot be parsed.",
        citation="DICOM PS3.10 2024e, 7.1; DICOM PS3.5 2024e, 7.1 (each element is as long as its length says)",
        fix_technologist="Send the series again from the device and check that the number of images agrees.",
        fix_administrator="Compare size and checksum with a second copy and restore it. Many from one day: the disk "
                          "filled or the transfer was cut; many from one sender: its export is at fault.",
    )

    def candidates(self) -> sa.Select[Any]:
        said = sa.case((_status_in("truncated"), literal("the file ends early")), else_=literal("cannot be parsed"))
        return sa.select(
            *_FILE, violated(_status_in("truncated", "unreadable")),
            evidence(said, "; ", number(files.c.size_bytes), " bytes"),
        ).where(_status_in(*_OBJECTS))


class FileIsDICOM(Check):
    """Something else that lies among the images."""

    spec = CheckSpec(
        id="DCM103", name="Every file in the archive's tree is DICOM", severity=Severity.INFO, category="conformance",
        definition="Denominator: files in the archive's tree that are not empty. Violated where a file is neither a "
                   "DICOM object nor a DICOMDIR.",
        citation="DICOM PS3.10 2024e, 7.1 (prefix DICM after the 128-byte preamble)",
        fix_technologist="Nothing to do at the device; tell the PACS administrator if you keep files there.",
        fix_administrator="Move what is not an image out of the tree: reports, logs and viewers left by an import fill "
                          "the disk, and no retention rule ever removes them.",
    )

    def candidates(self) -> sa.Select[Any]:
        return sa.select(
            *_FILE, violated(_status_in("not_dicom")), evidence("not DICOM; ", number(files.c.size_bytes), " bytes"),
        ).where(sa.not_(_status_in("empty")))
