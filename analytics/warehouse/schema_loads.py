"""Where facts come from: sources, their loads, what each load covered and left out, and merged patients.

`schema` holds the facts themselves; these tables are part of the same metadata.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, MetaData, String, Table

metadata = MetaData()
Instant = DateTime(timezone=True)


def source_column() -> Column[str]:
    """Return the column that says which source a row comes from."""
    return Column("source_id", String, primary_key=True)


sources = Table(
    "sources", metadata, source_column(),
    Column("kind", String, nullable=False),        # see sources/base.py: KINDS
    Column("location", String, nullable=False),    # path or URL without its password
    Column("is_demo", Boolean, nullable=False),
    Column("last_loaded_at", Instant),
)

loads = Table(
    "loads", metadata,
    Column("load_id", String, primary_key=True),
    Column("source_id", String, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant, nullable=False),
    Column("records_read", BigInteger, nullable=False),
    Column("added", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("unchanged", BigInteger, nullable=False),
    Column("removed", BigInteger, nullable=False),
    Column("left_out", BigInteger, nullable=False),
    Column("covered_from", Date),
    Column("covered_to", Date),
    Column("complete", Boolean, nullable=False),   # the source says it held everything it has
    Column("message", String),
)

quarantine = Table(
    "quarantine", metadata, source_column(),
    Column("locator", String, primary_key=True),   # file, or file and line; never a name
    Column("reason_code", String, primary_key=True),
    Column("reason", String, nullable=False),      # what is wrong and what to do
    Column("load_id", String, nullable=False),
    Column("seen_at", Instant, nullable=False),
)

files = Table(
    "files", metadata, source_column(),
    Column("path", String, primary_key=True),      # relative to the source's location
    Column("size_bytes", BigInteger, nullable=False),
    Column("modified_ns", BigInteger, nullable=False),
    Column("sop_instance_uid", String),            # empty where the file is not an object
    Column("status", String, nullable=False),      # read, dicomdir, not_dicom, empty, truncated, unreadable
)


covered_parts = Table(
    "covered_parts", metadata, source_column(),
    Column("part", String, primary_key=True),      # name of a piece of the source that was read whole
    Column("covered_from", Date),
    Column("covered_to", Date),
    Column("records", BigInteger, nullable=False),
    Column("load_id", String, nullable=False),
    Column("read_at", Instant, nullable=False),
)
"""The proof that a crawl is complete: what was asked for, and how many records came."""

marks = Table(
    "marks", metadata, source_column(),
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
)
"""What a source remembers for its next load: where to go on from. Never an identity."""

patient_merges = Table(
    "patient_merges", metadata, source_column(),
    Column("merged_key", String, primary_key=True),      # pseudonym of the id that is no longer used
    Column("surviving_key", String, nullable=False),
    Column("merged_at", Instant),
)
"""Patients that a source merged (HL7 ADT): `derive` gives the history of the one to the other."""

removals = Table(
    "removals", metadata, source_column(),
    Column("study_instance_uid", String, primary_key=True),
    Column("load_id", String, primary_key=True),   # the load that found it, not the day it happened
    Column("what", String, nullable=False),        # see removals.py: gone, fewer_images, fewer_bytes
    Column("site", String),                        # these are the study's, as it was
    Column("modality", String),
    Column("station_name", String),
    Column("study_date", Date),
    Column("stored_at", Instant),
    Column("number_of_instances", BigInteger),     # what went; empty where it is not known
    Column("size_bytes", BigInteger),
    Column("instances_before", BigInteger),        # what the study was: one that is back at it has lost nothing
    Column("size_bytes_before", BigInteger),
)
"""Studies that a source no longer has, and studies that became smaller, as its loads found them: see `removals.py`."""
