"""No name, no patient's id and no birth date gets past the edge: not into a table, an error or a log."""

from __future__ import annotations

import logging
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa

from analytics import cli
from analytics.core.errors import PacsmeterError
from analytics.core.pseudonym import Pseudonymizer
from analytics.core.settings import Settings
from analytics.identify import identify
from analytics.ledger.ledger import open_ledger
from analytics.refresh import refresh
from analytics.sources.base import Known
from analytics.sources.load import load_source
from analytics.warehouse.schema import metadata, studies
from analytics.warehouse.store import Store, Warehouse, open_store
from tests.sources.fake_orthanc import OrthancIndex
from tests.sources.sites import NAMES, SECRETS, Export, Folder, Site, write_rows
from tests.sources.test_contract import SITES


def every_text(warehouse: Warehouse) -> str:
    """Return all text of all columns of all tables."""
    found = []
    for table in metadata.sorted_tables:
        for column in warehouse.arrow(sa.select(table)).columns:
            if pa.types.is_string(column.type) or pa.types.is_date(column.type):
                found += [str(value) for value in column.unique().to_pylist()]
    return "\n".join(found).upper()


def found_in(*texts: str) -> list[str]:
    """Return which secrets texts hold."""
    said = "\n".join(texts).upper()
    return [secret for secret in SECRETS if secret in said]


def every_file(home: Path) -> str:
    """Return what can be read as text in the files of an installation: logs, the ledger, the catalog, the warehouse."""
    return "\n".join(path.read_bytes().decode("latin-1") for path in home.rglob("*") if path.is_file())


EVERY_SITE = pytest.mark.parametrize("site", SITES, ids=lambda kind: kind.__name__, indirect=True)


@EVERY_SITE
def test_no_identity_gets_past_the_edge(
        site: Site, settings: Settings, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str],
        recwarn: pytest.WarningsRecorder) -> None:
    left_out, store = site.spoil(), open_store(settings)
    recwarn.clear()
    with caplog.at_level(logging.DEBUG):
        report = refresh(store, settings, [site.open(settings)])
    printed = capfd.readouterr()
    assert found_in(every_text(store.current()), str(report.loads[0]), caplog.text, printed.out, printed.err,
                    every_file(settings.home), *(str(warning.message) for warning in recwarn)) == []
    assert report.loads[0].left_out == left_out


@EVERY_SITE
def test_a_look_up_leaves_no_identity_behind(
        site: Site, settings: Settings, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    settings, source = settings.model_copy(update={"identify_users": "anna"}), site.open(settings)
    if studies not in site.expected.first or not (hasattr(source, "identities") or hasattr(source, "identities_in")):
        pytest.skip("such a source cannot be asked")
    store, ledger = open_store(settings), open_ledger(settings)
    with store.draft() as draft:
        load_source(draft, source)
    uid = str(store.current().scalar(sa.select(sa.func.min(studies.c.study_instance_uid))))
    with caplog.at_level(logging.DEBUG):
        assert identify(store.current(), ledger, settings, who="anna", reason="a test", study_instance_uid=uid)
    printed = capfd.readouterr()
    assert found_in(caplog.text, printed.out, printed.err, every_file(settings.home), repr(ledger.audit_trail())) == []


@EVERY_SITE
def test_what_an_unforeseen_fault_says_reaches_nobody(
        site: Site, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str]) -> None:
    def broken(self: Pseudonymizer, kind: str, identity: str | None) -> str | None:
        if kind in ("patient", "name") and identity:
            raise ValueError(f"cannot make a pseudonym of {identity!r}")
        return as_it_is(self, kind, identity)

    as_it_is = Pseudonymizer.key
    monkeypatch.setattr(Pseudonymizer, "key", broken)
    monkeypatch.setenv("PACSMETER_HOME", str(settings.home))
    with caplog.at_level(logging.DEBUG), pytest.raises(SystemExit) as ended:
        cli.main(["load", site.spec])
    printed = capfd.readouterr()
    assert found_in(caplog.text, printed.out, printed.err, every_file(settings.home)) == []
    assert "Traceback" not in printed.err
    said = [line for line in printed.err.splitlines() if line.startswith("pacsmeter:")]
    assert (ended.value.code, len(said)) in [(2, 1), *([] if studies in site.expected.first else [(0, 0)])]


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


def test_an_export_that_lost_the_names_of_its_columns_does_not_say_its_first_row(
        tmp_path: Path, settings: Settings) -> None:
    site = Export(tmp_path / "site")
    path = site.folder / site.file
    path.write_bytes(path.read_bytes().partition(b"\n")[2])
    with pytest.raises(PacsmeterError, match="may have lost the row of their names") as caught:
        list(site.open(settings).batches(Known(), lambda *_: None))
    assert found_in(str(caught.value)) == []


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
