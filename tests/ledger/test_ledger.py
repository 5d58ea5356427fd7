"""The ledger on both engines: what was decided is kept, in order, with who and when."""

from __future__ import annotations

import datetime as dt
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from analytics.core.errors import PacsmeterError
from analytics.core.settings import Settings
from analytics.ledger.ledger import Decision, Ledger, finding_key, open_ledger
from analytics.ledger.schema import migrations


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_settings(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    if request.param == "sqlite":
        return settings
    return settings.model_copy(update={"ledger_url": SecretStr(request.getfixturevalue("postgres_url"))})


@pytest.fixture
def ledger(ledger_settings: Settings) -> Ledger:
    return open_ledger(ledger_settings)


def test_a_scenario_is_loaded_as_it_was_saved_and_the_last_saving_stands(ledger: Ledger) -> None:
    ledger.save_scenario("Ten years", "id,item\n", '{"horizon_years": 10}', ("keep", "recompress"), "finance")
    ledger.save_scenario("Other", "x", "{}", ("keep",), "finance")
    ledger.save_scenario("Ten years ", "id,item\nÄ,'\n", '{"horizon_years": 11}', ("keep",), "manager")
    got = ledger.load_scenario("Ten years")
    assert (got.price_book, got.assumptions, got.option_ids, got.saved_by) == (
        "id,item\nÄ,'\n", '{"horizon_years": 11}', ("keep",), "manager")
    assert got.saved_at.utcoffset() == dt.timedelta(0)
    assert [one.name for one in ledger.scenarios()] == ["Ten years", "Other"]


def test_a_scenario_that_is_not_there_is_said(ledger: Ledger) -> None:
    with pytest.raises(PacsmeterError, match="no such scenario"):
        ledger.load_scenario("nothing")


def test_reviews_are_kept_newest_first_and_only_of_what_was_asked(ledger: Ledger) -> None:
    ledger.record_review("a", Decision.CONFIRMED, " wrong side ", "ann")
    ledger.record_review("a", "fixed", "", "bob")
    ledger.record_review("b", Decision.ACCEPTED, "", "bob")
    got = ledger.reviews_of(["a", "c"])
    assert list(got) == ["a"]
    assert [(one.decision, one.comment, one.reviewed_by) for one in got["a"]] == [
        (Decision.FIXED, "", "bob"), (Decision.CONFIRMED, "wrong side", "ann")]
    assert len(ledger.reviews_of(str(number) for number in range(2000))) == 0


def test_a_decision_that_is_none_and_a_reviewer_without_a_name_are_refused(ledger: Ledger) -> None:
    with pytest.raises(PacsmeterError, match="false alarm"):
        ledger.record_review("a", "maybe", "", "ann")
    with pytest.raises(PacsmeterError, match="Who reviews"):
        ledger.record_review("a", Decision.FIXED, "", "  ")
    assert ledger.reviews_of(["a"]) == {}
    assert ledger.audit_trail() == []


def test_every_decision_leaves_a_trail(ledger: Ledger) -> None:
    ledger.save_scenario("S", "", "{}", (), "ann")
    ledger.record_review("k", Decision.FALSE_ALARM, "", "bob")
    ledger.record_audit("carl", "report downloaded", "cost_benefit", "pdf")
    assert [(one.who, one.action, one.subject, one.detail) for one in ledger.audit_trail()] == [
        ("carl", "report downloaded", "cost_benefit", "pdf"), ("bob", "finding reviewed", "k", "false alarm"),
        ("ann", "scenario saved", "S", "")]
    assert len(ledger.audit_trail(limit=1)) == 1


def test_opening_again_keeps_everything_and_migrates_nothing_twice(ledger_settings: Settings) -> None:
    open_ledger(ledger_settings).record_audit("ann", "looked")
    again = open_ledger(ledger_settings)
    assert len(again.audit_trail()) == 1
    with sa.create_engine(ledger_settings.ledger).connect() as connection:
        assert connection.execute(sa.select(migrations.c.number)).scalars().all() == [1, 2]


def test_a_ledger_of_a_newer_version_is_not_written_into(ledger_settings: Settings) -> None:
    open_ledger(ledger_settings).close()
    with sa.create_engine(ledger_settings.ledger).begin() as connection:
        connection.execute(sa.insert(migrations).values(number=99, applied_at=dt.datetime.now(dt.UTC)))
    with pytest.raises(PacsmeterError, match="newer version"):
        open_ledger(ledger_settings)


def test_many_start_and_write_at_once_and_nothing_is_lost(ledger_settings: Settings) -> None:
    def one(number: int) -> None:
        ledger = open_ledger(ledger_settings)
        for step in range(5):
            ledger.record_audit(f"user {number}", "wrote", str(step))
        ledger.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(one, range(6)))
    trail = open_ledger(ledger_settings).audit_trail()
    assert sorted((entry.who, entry.subject) for entry in trail) == sorted(
        (f"user {number}", str(step)) for number in range(6) for step in range(5))


def test_sqlite_keeps_a_write_ahead_log(settings: Settings) -> None:
    open_ledger(settings)
    with sqlite3.connect(settings.home / "ledger.sqlite") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_ledger_out_of_reach_is_one_clear_line_without_the_password(settings: Settings) -> None:
    url = SecretStr("postgresql+psycopg://pacs:hunter2@127.0.0.1:1/none?connect_timeout=2")
    with pytest.raises(PacsmeterError, match="cannot be reached") as caught:
        open_ledger(settings.model_copy(update={"ledger_url": url}))
    assert "hunter2" not in str(caught.value)


def test_an_engine_that_is_none_is_refused(settings: Settings) -> None:
    with pytest.raises(PacsmeterError, match="oracle"):
        open_ledger(settings.model_copy(update={"ledger_url": SecretStr("oracle://x")}))


def test_a_finding_is_known_again_by_what_it_is_about() -> None:
    one = {"check_id": "DCM101", "study_instance_uid": "1.2", "evidence": "a", "site": "North"}
    assert finding_key(one) == finding_key({**one, "evidence": "b", "series_instance_uid": None})
    assert finding_key(one) != finding_key({**one, "check_id": "DCM102"})
    assert finding_key({"study_instance_uid": "1", "series_instance_uid": "2"}) != finding_key(
        {"study_instance_uid": "12", "series_instance_uid": ""})


def test_a_card_is_on_the_overview_until_it_is_taken_off(ledger: Ledger) -> None:
    ledger.pin("first", "ann")
    ledger.pin("second", "bob")
    ledger.pin("first", "bob", pinned=False)
    assert ledger.pins() == ["second"]
    ledger.pin("first", "ann")
    assert ledger.pins() == ["second", "first"]


def test_a_ledger_of_the_first_step_gets_the_pins_and_keeps_what_it_holds(ledger_settings: Settings) -> None:
    older = open_ledger(ledger_settings)
    older.record_review("a", Decision.CONFIRMED, "", "ann")
    with older._engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE pins"))
        connection.execute(sa.delete(migrations).where(migrations.c.number == 2))
    newer = open_ledger(ledger_settings)
    newer.pin("card", "ann")
    assert newer.pins() == ["card"] and list(newer.reviews_of(["a"])) == ["a"]
