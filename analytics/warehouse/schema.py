"""The warehouse's tables. Facts come from sources; ``exams`` is derived from them when a load ends.

Columns are the DICOM keyword in snake case. ``_at`` is an instant in UTC, ``_date`` a calendar date on the
site's clock, ``size_bytes`` is bytes as stored. Patients are keyed pseudonyms; no name is ever here.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, Double, Integer, String, Table

from analytics.core.swim import EVENTS
from analytics.warehouse.schema_loads import (
    Instant,
    covered_parts,
    files,
    loads,
    marks,
    metadata,
    patient_merges,
    quarantine,
    removals,
    source_column,
    sources,
)

__all__ = ["DERIVED", "FACTS", "Instant", "archives", "check_counts", "check_runs", "covered_parts",
           "crawled_series", "crawled_studies", "events", "exams", "files", "findings", "image_measures", "instances",
           "loads", "marks", "metadata", "orders", "patient_merges", "quarantine", "removals", "series", "sources",
           "studies"]


def _patient() -> list[Column[Any]]:
    """Pseudonyms of who the patient is, and the demographics the checks need."""
    return [
        Column("name_key", String),
        Column("birth_date_key", String),
        Column("patient_birth_year", Integer),
        Column("patient_sex", String),
    ]


studies = Table(
    "studies", metadata, source_column(),
    Column("study_instance_uid", String, primary_key=True),
    Column("patient_key", String, primary_key=True),   # '' where the source has no PatientID
    *_patient(),
    Column("accession_number", String),
    Column("site", String),
    Column("institution_name", String),
    Column("station_name", String),
    Column("manufacturer", String),
    Column("manufacturer_model_name", String),
    Column("modality", String),
    Column("modalities_in_study", String),         # backslash separated, as DICOM has it
    Column("study_description", String),
    Column("body_part_examined", String),
    Column("study_date", Date),                    # as written by the device; may be wrong
    Column("study_at", Instant),
    Column("patient_age_years", Double),           # PatientAge (0010,1010) as written
    Column("number_of_series", BigInteger),
    Column("number_of_instances", BigInteger),
    Column("size_bytes", BigInteger),              # empty where the source does not know it
    Column("transfer_syntax_uid", String),
    Column("stored_at", Instant),                  # when the archive received it
    Column("last_accessed_at", Instant),
    Column("storage_tier", String),
    Column("expires_date", Date),                  # when the archive's own rule lets it go
    Column("rejection_state", String),             # none, partial, complete: objects rejected by quality notes
    Column("completeness", String),                # complete, partial, unknown: whether its last transfer was whole
    Column("record_key", String),                  # pseudonym of the archive's own id of the study
)

series = Table(
    "series", metadata, source_column(),
    Column("series_instance_uid", String, primary_key=True),
    Column("study_instance_uid", String, primary_key=True),
    Column("modality", String),
    Column("station_name", String),
    Column("manufacturer", String),
    Column("manufacturer_model_name", String),
    Column("series_number", BigInteger),
    Column("series_description", String),
    Column("protocol_name", String),
    Column("body_part_examined", String),
    Column("laterality", String),
    Column("frame_of_reference_uid", String),
    Column("series_at", Instant),
    Column("number_of_instances", BigInteger),
    Column("size_bytes", BigInteger),
    Column("transfer_syntax_uid", String),
    Column("stored_at", Instant),
)

instances = Table(
    "instances", metadata, source_column(),
    Column("sop_instance_uid", String, primary_key=True),
    Column("path", String, primary_key=True),          # where the pixels are, relative to the source
    Column("study_instance_uid", String),
    Column("series_instance_uid", String),
    Column("patient_key", String),
    Column("sop_class_uid", String),
    Column("transfer_syntax_uid", String),
    Column("modality", String),
    Column("station_name", String),
    Column("device_serial_number", String),
    Column("instance_number", BigInteger),
    Column("image_type", String),
    *(Column(name, BigInteger) for name in ("rows", "columns", "number_of_frames", "samples_per_pixel")),
    Column("photometric_interpretation", String),
    *(Column(name, BigInteger) for name in ("bits_allocated", "bits_stored", "high_bit", "pixel_representation")),
    Column("pixel_data_length", BigInteger),           # bytes of (7FE0,0010); empty where encapsulated
    Column("has_pixel_data", Boolean),
    Column("lossy_image_compression", String),
    Column("lossy_image_compression_ratio", Double),
    *(Column(f"image_position_{axis}", Double) for axis in "xyz"),
    Column("image_orientation", String),               # six cosines, backslash separated, 4 decimals
    *(Column(name, Double) for name in ("slice_thickness", "spacing_between_slices", "pixel_spacing_row",
                                        "pixel_spacing_column")),
    *(Column(name, String) for name in ("frame_of_reference_uid", "body_part_examined", "laterality", "view_position",
                                        "protocol_name", "convolution_kernel")),
    *(Column(name, Double) for name in ("kvp", "repetition_time", "echo_time", "magnetic_field_strength")),
    # (0018,1411), (0018,1412), (0018,1413)
    *(Column(name, Double) for name in ("exposure_index", "target_exposure_index", "deviation_index")),
    Column("specific_character_set", String),
    Column("undecodable_text", String),                # keywords whose text the character set cannot decode
    Column("malformed_values", String),                # KEYWORD=reason; never the value itself
    Column("acquired_at", Instant),
    Column("content_at", Instant),
    Column("timezone_offset_from_utc", String),
    Column("size_bytes", BigInteger),
    Column("stored_at", Instant),
    *_patient(),                                       # what follows is the study's and the series', as this
    Column("patient_age_years", Double),               # object has it: studies and series are made from it
    *(Column(name, String) for name in ("accession_number", "institution_name", "manufacturer",
                                        "manufacturer_model_name", "study_description", "series_description")),
    Column("series_number", BigInteger),
    Column("study_date", Date),
    *(Column(name, Instant) for name in ("study_at", "series_at")),
    # What an object tells of the exam's events: `sources/rollup_events.py` makes events of them.
    Column("performed_start_at", Instant),             # (0040,0244) (0040,0245): of MPPS objects and of images
    Column("performed_end_at", Instant),               # (0040,0250) (0040,0251): of MPPS objects that are at an end
    Column("verified_at", Instant),                    # (0040,A030): when a report document was first verified
)

orders = Table(
    "orders", metadata, source_column(),
    Column("accession_number", String, primary_key=True),
    Column("patient_key", String),
    *_patient(),
    Column("site", String),
    Column("modality", String),
    Column("station_name", String),
    Column("priority", String),                        # S, A, R
    Column("patient_class", String),                   # I, O, E
    Column("procedure_code", String),
    Column("procedure_description", String),
)

events = Table(
    "events", metadata, source_column(),
    Column("accession_number", String, primary_key=True),
    Column("event", String, primary_key=True),         # SWIM's name
    Column("event_at", Instant, primary_key=True),
    Column("origin", String),                          # where the source has it from: ORC-9, MPPS (0040,0250), SIGNED
)

archives = Table(
    "archives", metadata, source_column(),
    Column("archive", String, primary_key=True),
    Column("site", String),                            # empty where one archive serves all sites
    Column("storage_tier", String),
    Column("capacity_bytes", BigInteger, nullable=False),
    Column("used_bytes_before", BigInteger, nullable=False),   # stored before the index begins
    Column("in_service_date", Date),
)

image_measures = Table(
    "image_measures", metadata, source_column(),
    Column("sop_instance_uid", String, primary_key=True),
    Column("measure", String, primary_key=True),       # id of the measure: noise, snr, ...
    Column("path", String),
    Column("study_instance_uid", String),
    Column("series_instance_uid", String),
    Column("modality", String),
    Column("station_name", String),
    Column("protocol_name", String),
    Column("value", Double),                           # empty where the measure does not apply
    Column("unit", String),
    Column("algorithm", String),                       # name and version: values compare only within one
    Column("acquired_at", Instant),
    Column("message", String),                         # why there is no value
)

check_runs = Table(
    "check_runs", metadata,
    Column("check_id", String, primary_key=True),
    source_column(),
    Column("outcome", String, nullable=False),
    Column("violated", BigInteger, nullable=False),
    Column("denominator", BigInteger, nullable=False),
    Column("error", String),
)

check_counts = Table(
    "check_counts", metadata,
    Column("check_id", String, nullable=False),
    Column("source_id", String),
    Column("site", String),
    Column("modality", String),
    Column("station_name", String),
    Column("found_date", Date),
    Column("violated", BigInteger, nullable=False),
    Column("denominator", BigInteger, nullable=False),
)
"""What each check looked at, by day and device: so that a rate under a filter has its own denominator."""

findings = Table(
    "findings", metadata,
    Column("check_id", String, nullable=False),
    Column("source_id", String),
    Column("severity", String, nullable=False),
    Column("category", String, nullable=False),
    Column("study_instance_uid", String),
    Column("series_instance_uid", String),
    Column("sop_instance_uid", String),
    Column("path", String),
    Column("accession_number", String),
    Column("site", String),
    Column("modality", String),
    Column("station_name", String),
    Column("found_date", Date),                        # date of the study, or of the file
    Column("evidence", String, nullable=False),        # what was seen; never a name
)

exams = Table(
    "exams", metadata,
    Column("exam_id", String, primary_key=True),       # study UID, or 'order:' and the accession number
    Column("source_id", String),
    Column("has_study", Boolean, nullable=False),
    Column("has_order", Boolean, nullable=False),
    Column("study_instance_uid", String),
    Column("accession_number", String),
    Column("patient_key", String),
    Column("patient_sex", String),
    Column("patient_birth_year", Integer),
    Column("site", String),
    Column("modality", String),
    Column("station_name", String),
    Column("patient_class", String),
    Column("priority", String),
    Column("description", String),                     # procedure ordered, or the study's description
    Column("exam_at", Instant),                        # when it happened, best known: see derive.py
    Column("exam_date", Date),                         # the same on the site's clock
    Column("exam_hour", Integer),                      # 0-23
    Column("exam_weekday", Integer),                   # 1 Monday ... 7 Sunday (ISO 8601)
    Column("study_at", Instant),                       # as the device's clock wrote it
    Column("is_start_by_device", Boolean),             # the same clock told the exam's start, in an object
    Column("number_of_series", BigInteger),
    Column("number_of_instances", BigInteger),
    Column("size_bytes", BigInteger),
    Column("transfer_syntax_uid", String),
    Column("storage_tier", String),
    Column("stored_at", Instant),
    Column("stored_date", Date),
    Column("last_accessed_at", Instant),
    Column("expires_date", Date),                      # when the archive's own rule lets the study go
    *(Column(event.column, Instant) for event in EVENTS),
)
"""One row an exam: the study in the archive and its order in the RIS, joined by accession number.

Every metric reads this table. A study without an order and an order without a study are both here.
A study that two sources hold is here once."""

crawled_studies, crawled_series = (
    Table(f"crawled_{table.name}", metadata,
          *(Column(column.name, column.type, primary_key=column.primary_key) for column in table.columns))
    for table in (studies, series))
"""What a crawl that is not finished has read so far: it takes the place of what was there in one step at the end."""

FACTS = (sources, loads, quarantine, files, studies, series, instances, orders, events, archives, image_measures,
         covered_parts, marks, patient_merges, removals)
DERIVED = (exams, check_runs, check_counts, findings)
