"""Looking a pseudonym up: only for those who may, only with a reason, written down first, and never in the ledger."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from analytics import cli
from analytics.core.errors import PacsmeterError
from analytics.core.private_file import user_name
from analytics.core.pseudonym import Pseudonymizer
from analytics.core.settings import Settings
from analytics.identify import FAILED, LOOKED_UP, REFUSED, identify, may_identify
from analytics.ledger.ledger import AuditEntry, Ledger, open_ledger
from analytics.sources.base import Identity
from analytics.sources.dicom_folder import DicomFolder
from analytics.sources.load import load_source
from analytics.sources.orthanc import Orthanc
from analytics.warehouse.key_check import confirm_key
from analytics.warehouse.schema import patient_merges, studies
from analytics.warehouse.store import Warehouse, open_store
from tests.sources.fake_orthanc import OrthancIndex
from tests.sources.sites import BORN, IDS, NAMES, SECRETS, Export, Folder, Site
from tests.sources.test_contract import SITES
from tests.support import put

WHO, REASON = "anna", "call the patient back: images incomplete"
UID = "1.2.1"
PATIENT = Identity(IDS[1], NAMES[1], BORN[1])


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"identify_users": f"{WHO}, Bert@Example.org"})


@pytest.fixture
def ledger(settings: Settings) -> Ledger:
    return open_ledger(settings)


def loaded(settings: Settings, *sites: Site) -> Warehouse:
    store = open_store(settings)
    with store.draft() as draft:
        confirm_key(draft, Pseudonymizer.from_file(settings.pseudonym_key_file).key_check)
        for site in sites:
            load_source(draft, site.open(settings))
    return store.current()


def ask(warehouse: Warehouse, ledger: Ledger, settings: Settings, **named: Any) -> list[Identity]:
    return identify(warehouse, ledger, settings, **{"who": WHO, "reason": REASON, **named})


def key_of(warehouse: Warehouse, uid: str = UID) -> str:
    return str(warehouse.scalar(sa.select(studies.c.patient_key).where(studies.c.study_instance_uid == uid).limit(1)))


def last(ledger: Ledger) -> AuditEntry:
    return ledger.audit_trail(1)[0]


def everything(ledger: Ledger) -> str:
    return "\n".join(f"{one.who} {one.action} {one.subject} {one.detail}" for one in ledger.audit_trail()).upper()


KNOWING = [kind for kind in SITES if studies in kind.expected.first]
"""Whoever gives studies is asked, where he can say whose they are."""


@pytest.mark.parametrize("site", KNOWING, ids=lambda kind: kind.__name__, indirect=True)
def test_the_source_says_who_it_is_and_the_ledger_who_asked(
        settings: Settings, ledger: Ledger, site: Site) -> None:
    source = site.open(settings)
    if not (hasattr(source, "identities") or hasattr(source, "identities_in")):
        pytest.skip("such a source cannot be asked")
    warehouse = loaded(settings, site)
    key = Pseudonymizer.from_file(settings.pseudonym_key_file).patient_key(IDS[1])
    uid = str(warehouse.scalar(sa.select(sa.func.min(studies.c.study_instance_uid)).where(
        studies.c.patient_key == key)))

    (found,) = ask(warehouse, ledger, settings, study_instance_uid=uid)
    assert (found.patient_id, found.patient_name) == (IDS[1], NAMES[1])
    assert found.patient_birth_date.replace("-", "") == BORN[1]

    entry = last(ledger)
    assert (entry.who, entry.action, entry.detail) == (WHO, LOOKED_UP, REASON)
    assert entry.subject == f"study {uid} of {source.source_id}, patient {key}"
    assert ask(warehouse, ledger, settings, patient_key=key) == [found]
    assert len(ledger.audit_trail()) == 2
    assert [secret for secret in SECRETS if secret in everything(ledger)] == []


@pytest.mark.parametrize("who", ["eve", "ANNA", "", "ann", "anna,eve"])
def test_who_may_not_ask_is_refused_and_written_down(
        settings: Settings, ledger: Ledger, tmp_path: Path, who: str, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = loaded(settings, OrthancIndex(tmp_path / "site"))
    monkeypatch.setattr(Orthanc, "identities", lambda *_: pytest.fail("the source must not be asked"))
    with pytest.raises(PacsmeterError, match="You may not look up"):
        ask(warehouse, ledger, settings, who=who, study_instance_uid=UID)
    assert (last(ledger).who, last(ledger).action, last(ledger).subject) == (who or "unknown", REFUSED, f"study {UID}")


def test_nobody_may_ask_where_nobody_is_named(settings: Settings) -> None:
    nobody = settings.model_copy(update={"identify_users": " , "})
    assert not may_identify(nobody, "") and not may_identify(nobody, ",") and not may_identify(nobody, WHO)
    assert may_identify(settings, "bert@example.ORG"), "the case of an address does not count"


def test_without_a_reason_nothing_is_asked(settings: Settings, ledger: Ledger, tmp_path: Path) -> None:
    warehouse = loaded(settings, OrthancIndex(tmp_path / "site"))
    with pytest.raises(PacsmeterError, match="without a reason"):
        ask(warehouse, ledger, settings, reason="  ", study_instance_uid=UID)
    assert (last(ledger).action, last(ledger).detail) == (REFUSED, "no reason given")


@pytest.mark.parametrize(
    "reason", ["is it Mr. Quattlebaum?", f"the one with {IDS[1].lower()}", "born 1956-11-23", "ISIDOR"])
def test_a_reason_that_names_the_patient_shows_nothing_and_is_not_kept(
        settings: Settings, ledger: Ledger, tmp_path: Path, reason: str) -> None:
    warehouse = loaded(settings, OrthancIndex(tmp_path / "site"))
    with pytest.raises(PacsmeterError, match="names the patient") as caught:
        ask(warehouse, ledger, settings, reason=reason, study_instance_uid=UID)
    assert last(ledger).action == FAILED
    assert [secret for secret in SECRETS if secret in (everything(ledger) + str(caught.value)).upper()] == []


def test_a_name_typed_as_a_study_or_a_pseudonym_does_not_get_into_the_ledger(
        settings: Settings, ledger: Ledger, tmp_path: Path) -> None:
    warehouse = loaded(settings, OrthancIndex(tmp_path / "site"))
    for who in (WHO, "eve"):
        for asked in ({"study_instance_uid": NAMES[0]}, {"patient_key": NAMES[0]}, {"study_instance_uid": "7731942"}):
            with pytest.raises(PacsmeterError) as caught:
                ask(warehouse, ledger, settings, who=who, **asked)
            assert NAMES[0] not in str(caught.value)
    assert len(ledger.audit_trail()) == 6
    assert not any(typed in everything(ledger) for typed in (*SECRETS, "7731942"))


@pytest.mark.parametrize("asked", [{}, {"study_instance_uid": UID, "patient_key": "x"}])
def test_one_thing_is_asked_for(settings: Settings, ledger: Ledger, tmp_path: Path, asked: dict[str, str]) -> None:
    warehouse = loaded(settings, OrthancIndex(tmp_path / "site"))
    with pytest.raises(PacsmeterError, match="a study or a patient"):
        ask(warehouse, ledger, settings, **asked)


def test_a_source_that_says_somebody_else_now_is_not_shown(settings: Settings, ledger: Ledger, tmp_path: Path) -> None:
    site = OrthancIndex(tmp_path / "site")
    warehouse = loaded(settings, site)
    site.run(f"UPDATE MainDicomTags SET value = 'OTHER1' WHERE value = '{IDS[1]}'")  # noqa: S608
    with pytest.raises(PacsmeterError, match="another patient for this study now"):
        ask(warehouse, ledger, settings, study_instance_uid=UID)
    assert last(ledger).action == FAILED


def test_a_merged_patient_is_the_same_one(settings: Settings, ledger: Ledger, tmp_path: Path) -> None:
    site = OrthancIndex(tmp_path / "site")
    warehouse = loaded(settings, site)
    keys = [key_of(warehouse, f"1.2.{number}") for number in (0, 1)]
    with open_store(settings).draft() as draft:
        put(draft, {patient_merges: [{"merged_key": keys[1], "surviving_key": keys[0]}]})
    warehouse = open_store(settings).current()
    site.run(f"UPDATE MainDicomTags SET value = '{IDS[0]}' WHERE value = '{IDS[1]}'")  # noqa: S608
    assert [one.patient_id for one in ask(warehouse, ledger, settings, study_instance_uid=UID)] == [IDS[0]]
    assert len(ask(warehouse, ledger, settings, patient_key=keys[1])) == 1


def test_a_study_that_is_gone_says_so(settings: Settings, ledger: Ledger, tmp_path: Path) -> None:
    site = OrthancIndex(tmp_path / "site")
    warehouse = loaded(settings, site)
    site.delete_one()
    with pytest.raises(PacsmeterError, match="does not hold this study any more"):
        ask(warehouse, ledger, settings, study_instance_uid=UID)


def test_where_one_source_cannot_answer_another_does(settings: Settings, ledger: Ledger, tmp_path: Path) -> None:
    export, index = Export(tmp_path / "export"), OrthancIndex(tmp_path / "index")
    warehouse = loaded(settings, export, index)
    assert ask(warehouse, ledger, settings, study_instance_uid=UID) == [PATIENT], "both say the same: one answer"
    assert len(ledger.audit_trail()) == 2, "and each that was asked is in the trail"
    (export.folder / export.file).unlink()
    assert ask(warehouse, ledger, settings, study_instance_uid=UID) == [PATIENT]
    assert "of orthanc," in last(ledger).subject


def test_a_file_that_is_of_another_study_now_says_nothing(settings: Settings, ledger: Ledger, tmp_path: Path) -> None:
    site = Folder(tmp_path / "site")
    warehouse = loaded(settings, site)
    site.path(2).replace(site.path(1))
    with pytest.raises(PacsmeterError, match="does not hold this study any more"):
        ask(warehouse, ledger, settings, study_instance_uid=UID)


def test_only_headers_are_read_of_files(settings: Settings, tmp_path: Path) -> None:
    site = Folder(tmp_path / "site")
    site.path(1).write_bytes(site.path(1).read_bytes()[:-8])
    source = site.open(settings)
    assert isinstance(source, DicomFolder)
    assert source.identities_in(UID, ["s1/i1"]) == [PATIENT]


def test_another_key_is_said_to_be_another(settings: Settings, ledger: Ledger, tmp_path: Path) -> None:
    warehouse = loaded(settings, OrthancIndex(tmp_path / "site"))
    settings.pseudonym_key_file.write_text("another-key-of-enough-bytes")
    with pytest.raises(PacsmeterError, match="not the one that this warehouse was made with"):
        ask(warehouse, ledger, settings, study_instance_uid=UID)


def test_what_cannot_be_written_down_is_not_shown(
        settings: Settings, ledger: Ledger, tmp_path: Path) -> None:
    warehouse = loaded(settings, OrthancIndex(tmp_path / "site"))
    ledger.close()
    with sqlite3.connect(settings.home / "ledger.sqlite") as connection:
        connection.execute("DROP TABLE audit")
    with pytest.raises(sa.exc.DatabaseError):
        ask(warehouse, ledger, settings, study_instance_uid=UID)


def test_a_fault_nobody_foresaw_is_written_down_without_its_words(
        settings: Settings, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError(NAMES[1])

    warehouse = loaded(settings, OrthancIndex(tmp_path / "site"))
    monkeypatch.setattr(Orthanc, "identities", broken)
    with pytest.raises(ValueError):
        ask(warehouse, ledger, settings, study_instance_uid=UID)
    assert (last(ledger).action, last(ledger).detail) == (FAILED, "a fault in pacsmeter (ValueError)")


def command(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(list(arguments))
    return int(ended.value.code or 0)


def test_the_command_asks_as_who_the_system_says_runs_it(
        settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    loaded(settings, OrthancIndex(tmp_path / "site")).close()
    monkeypatch.setenv("PACSMETER_HOME", str(settings.home))
    monkeypatch.setenv("PACSMETER_SITE_ZONE", "UTC")
    monkeypatch.setenv("PACSMETER_IDENTIFY_USERS", "somebody-else")
    for variable in ("USER", "LOGNAME", "USERNAME", "SUDO_USER"):
        monkeypatch.setenv(variable, "somebody-else")
    me = user_name(os.getuid())
    asked = ("identify", "--study", UID, "--reason", REASON)
    assert command(*asked) == 2
    said = capsys.readouterr()
    assert "You may not" in said.err and NAMES[1] not in said.out + said.err and len(said.err.splitlines()) == 1

    monkeypatch.setenv("PACSMETER_IDENTIFY_USERS", f"somebody-else,{me}")
    assert command(*asked) == 0
    shown = capsys.readouterr().out
    assert all(part in shown for part in (IDS[1], NAMES[1], BORN[1]))

    assert command("audit") == 0
    trail = capsys.readouterr().out
    assert me in trail and "patient looked up" in trail and "patient look-up refused" in trail
    assert [secret for secret in SECRETS if secret in trail.upper()] == []
