"""A FHIR export tells no patient: not in a row, a log or a path, nor in the table of references."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from analytics.core.pseudonym import Pseudonymizer
from analytics.core.settings import Settings
from analytics.sources import fhir_read
from analytics.sources.fhir_index import ReferenceIndex
from analytics.sources.fhir_references import References
from analytics.sources.patient import PatientEdge
from analytics.warehouse.schema import files
from analytics.warehouse.store import Store
from tests.sources import fhir_reading
from tests.sources.fhir_reading import bundle, load
from tests.sources.site_fhir import encounter, order, patient, study
from tests.sources.sites import BORN, IDS, NAMES, SECRETS
from tests.sources.test_privacy import every_text

folder = fhir_reading.folder


def test_no_patient_is_told_not_even_by_a_path(
        duck_store: Store, folder: Path, settings: Settings, caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = folder.parent / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    seen: list[bytes] = []
    modes: set[int] = set()
    leave = ReferenceIndex.__exit__

    def looked_at(index: ReferenceIndex, *arguments: Any) -> None:
        for path in scratch.rglob("*"):
            modes.add(path.stat().st_mode & 0o077)
            if path.is_file():
                seen.append(path.read_bytes())
        leave(index, *arguments)

    monkeypatch.setattr(ReferenceIndex, "__exit__", looked_at)
    for number in range(3):
        path = folder / NAMES[number].split("^")[0].title() / f"{IDS[number]}.json"
        path.parent.mkdir()
        path.write_text(bundle(patient(number), order(number), study(number, started=NAMES[0]), encounter(number)))
    (folder / "bad.ndjson").write_text(f'{{"resourceType": "{NAMES[0]}\n')
    with caplog.at_level(logging.DEBUG):
        record = load(duck_store, folder, settings)
    said = (every_text(duck_store.current()) + str(record) + caplog.text).upper()
    assert [secret for secret in SECRETS if secret.upper() in said] == []
    assert seen and [secret for secret in SECRETS for part in seen if secret.encode() in part.upper()] == []
    assert (modes, list(scratch.iterdir())) == ({0}, []), "the table is its owner's alone, and gone"
    stored = duck_store.current().read(sa.select(files.c.path)).path.tolist()
    assert sum(path.startswith("~") for path in stored) == 3


def test_birth_dates_are_compared_with_paths_as_dicom_writes_them() -> None:
    with ReferenceIndex() as index:
        references = References(index, PatientEdge(Pseudonymizer(b"0123456789abcdef")), fhir_read.Systems())
        assert (IDS[0], NAMES[0], BORN[0]) in set(references.named_in(patient(0)))
