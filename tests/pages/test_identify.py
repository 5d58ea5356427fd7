"""Who is this patient? Nothing for most readers; for who is signed in and named, a question with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from analytics.core.settings import Settings
from analytics.identify import LOOKED_UP, REFUSED
from analytics.ledger.ledger import AuditEntry, open_ledger
from analytics.ui import access, cache
from analytics.ui import identify as page_part
from analytics.warehouse.schema import studies
from analytics.warehouse.store import open_store
from tests.pages.conftest import Opened

WHO = "qa@hospital.example"


@pytest.fixture
def uid(demo_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give a study of the demo's archive, in an installation where one person may look patients up."""
    monkeypatch.setenv("PACSMETER_IDENTIFY_USERS", WHO)
    monkeypatch.setenv("PACSMETER_HOME", str(demo_home))
    cache.clear()
    warehouse = open_store(Settings(home=demo_home, _env_file=None)).current()  # type: ignore[call-arg]
    yield str(warehouse.scalar(sa.select(sa.func.min(studies.c.study_instance_uid)).where(
        studies.c.source_id == "demo-archive", studies.c.patient_key.not_like("placeholder%"),
        studies.c.patient_key != "")))
    cache.clear()


def button(page: AppTest) -> list[str]:
    return [one.label for one in page.button if one.label == "Who is this patient?"]


def trail(home: Path) -> list[AuditEntry]:
    return open_ledger(Settings(home=home, _env_file=None)).audit_trail()  # type: ignore[call-arg]


def test_without_a_sign_on_nothing_is_shown(app: Opened, uid: str) -> None:
    page = app("pages/study.py", find=uid)
    assert not page.exception and not page.error
    assert button(page) == []


@pytest.mark.parametrize("who", ["somebody@hospital.example", "qa"])
def test_who_is_not_named_sees_nothing(app: Opened, uid: str, who: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_part, "signed_in", lambda: who)
    assert button(app("pages/study.py", find=uid)) == []


def test_who_is_named_gets_an_answer_for_a_reason_and_is_written_down(
        app: Opened, uid: str, demo_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_part, "signed_in", lambda: WHO)
    page = app("pages/study.py", find=uid)
    assert len(button(page)) == 1

    ask = next(one for one in page.button if one.label == "Who is this patient?")
    ask.click().run()
    assert "without a reason" in page.error[0].value and not page.exception
    assert trail(demo_home)[0].action == REFUSED

    page.text_input[-1].set_value("images incomplete")
    next(one for one in page.button if one.label == "Who is this patient?").click().run()
    assert not page.error and not page.exception
    (shown,) = [one.value for one in page.text if "PatientID" in one.value]
    entry = trail(demo_home)[0]
    assert (entry.who, entry.action, entry.detail) == (WHO, LOOKED_UP, "images incomplete")
    name = shown.split(" · ")[0]
    assert name not in f"{entry.subject} {entry.detail}"
    assert name not in repr(page.session_state), "the answer is kept nowhere"

    page.run()
    assert not [one for one in page.text if "PatientID" in one.value], "and is gone with the next run"


@pytest.mark.parametrize(("claims", "who"), [
    ({"is_logged_in": True, "email": WHO}, WHO),
    ({"is_logged_in": True, "email": WHO, "email_verified": True}, WHO),
    ({"is_logged_in": True, "email": WHO, "email_verified": False}, ""),
    ({"is_logged_in": False, "email": WHO}, ""),
    ({"is_logged_in": "True", "email": WHO}, ""),
    ({"is_logged_in": True}, ""),
    ({"email": WHO}, ""),
])
def test_only_who_streamlit_itself_signed_in_counts(
        claims: dict[str, object], who: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class User(dict[str, object]):
        def __getattr__(self, name: str) -> object:
            if name not in self:
                raise AttributeError(name)
            return self[name]

    monkeypatch.setattr(access.st, "user", User(claims))
    assert access.signed_in() == who
