"""No name, no patient's id and no birth date gets past the edge: not into a table, an error or a log."""

from __future__ import annotations

import logging
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.settings import Settings
from analytics.sources.base import Known
from analytics.sources.load import load_source
from analytics.warehouse.schema import metadata, studies
from analytics.warehouse.store import Store, Warehouse
from tests.sources.fake_orthanc import OrthancIndex
from tests.sources.sites import BORN, IDS, NAMES, SECRETS, Export, Folder, Site, dicom_dataset, write_rows


def every_text(warehouse: Warehouse) -> str:
    """Return all text of all columns of all tables."""
    found = []
    for table in metadata.sorted_tables:
        for column in warehouse.arrow(sa.select(table)).columns:
            if pa.types.is_string(column.type) or pa.types.is_date(column.type):
                found += [str(value) for value in column.unique().to_pylist()]
    return "\n".join(found).upper()


@pytest.mark.parametrize("kind", [Export, Folder, OrthancIndex], ids=lambda kind: kind.__name__)
def test_no_identity_is_in_any_table(duck_store: Store, tmp_path: Path, settings: Settings, kind: type[Site],
                                     caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder) -> None:
    site = kind(tmp_path / "site")
    if isinstance(site, Export):  # rows that go to quarantine must not take an identity there
        bad = dict(zip(site.rows[0], ["", IDS[0], NAMES[0], BORN[0], "2026-07-01 10:00:00", "1"], strict=True))
        site.rows += [bad, {**bad, "STUDY_UID": "1.9", "DOB": "19431317"},
                      {**bad, "STUDY_UID": "1.8", "SIZE_KB": NAMES[1], "WHEN": IDS[1]}]
        site.write()
        with (site.folder / site.file).open("a") as file:
            file.write(f"1.7,{NAMES[2]}\n")
    if isinstance(site, Folder):
        dataset = dicom_dataset(1, 7)
        dataset.add_new(0x00100040, "CS", NAMES[1][:16])
        dataset.add_new(0x00180015, "CS", "knee")
        site.save(dataset, site.path(1, 7))
        whole = site.path(0).read_bytes()
        site.path(0, 8).write_bytes(whole[:-4])
        site.path(0, 9).write_bytes(whole[:300])
    recwarn.clear()
    with caplog.at_level(logging.DEBUG), duck_store.draft() as draft:
        record = load_source(draft, site.open(settings))
    held = every_text(duck_store.current())
    said = "\n".join([held, str(record), caplog.text, *(str(warning.message) for warning in recwarn)]).upper()
    assert [secret for secret in SECRETS if secret in said] == []
    assert record.left_out == (4 if kind is Export else 2 if kind is Folder else 0)


def test_the_same_patient_has_the_same_keys_in_every_source(
        duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    with duck_store.draft() as draft:
        for kind in (Export, Folder, OrthancIndex):
            load_source(draft, kind(tmp_path / kind.__name__).open(settings))
    found = duck_store.current().read(sa.select(
        studies.c.study_instance_uid, studies.c.patient_key, studies.c.name_key, studies.c.birth_date_key,
        studies.c.patient_birth_year).distinct().order_by(studies.c.study_instance_uid))
    assert len(found) == 3
    assert found.patient_birth_year.tolist() == [1943, 1956, 1969]
    assert found.notna().all().all()


def test_errors_do_not_say_what_a_row_holds(tmp_path: Path, settings: Settings) -> None:
    site = Export(tmp_path / "site")
    path = site.folder / site.file
    path.write_bytes(path.read_bytes() + f"1.7,P,{NAMES[0]}\xe9,19430217,2026-07-01,1\n".encode("latin-1"))
    with pytest.raises(PacsmeterError) as caught:
        list(site.open(settings).batches(Known(), lambda *_: None))
    text = str(caught.value) + repr(caught.value.__cause__) + repr(caught.value.__suppress_context__)
    assert [secret for secret in SECRETS if secret in text] == []


def test_a_column_of_names_taken_for_events_is_refused(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "s.toml").write_text("""
source_id = "ris"
kind = "ris_events"
[tables.events]
file = "ris.csv"
columns = {accession_number = "ACC", event = "PATIENT", event_at = "AT"}
events = {Order = "ORDERED"}
""")
    write_rows(tmp_path / "ris.csv", [{"ACC": f"A{n}", "PATIENT": f"NAME{n}", "AT": "2026-01-01"} for n in range(300)])
    site = Site(tmp_path)
    site.spec = str(tmp_path / "s.toml")
    with pytest.raises(PacsmeterError, match="300 different values that are no events") as caught:
        list(site.open(settings).batches(Known(), lambda *_: None))
    assert "NAME1" not in str(caught.value)
