"""What people decided: scenarios they saved, findings they reviewed, and who did what when. Never rebuilt."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from analytics.core.database_url import parse_url, shown_url
from analytics.core.errors import PacsmeterError
from analytics.core.settings import Settings
from analytics.ledger.schema import MIGRATIONS, audit, migrations, pins, reviews, scenarios
from analytics.warehouse.store import now_utc

_LOCK = 7_226_001
_TIMES_ASKED, _PAUSE_SECONDS = 200, 0.05
_IDENTITY = ("check_id", "source_id", "study_instance_uid", "series_instance_uid", "sop_instance_uid", "path",
             "accession_number")


class Decision(StrEnum):
    """What a person made of a finding."""

    CONFIRMED = "confirmed"
    FIXED = "fixed"
    ACCEPTED = "accepted"
    FALSE_ALARM = "false alarm"


@dataclass(frozen=True)
class Scenario:
    """A saved appraisal: its price book (CSV), its assumptions (JSON), the options compared."""

    name: str
    price_book: str
    assumptions: str
    option_ids: tuple[str, ...]
    saved_at: datetime
    saved_by: str


@dataclass(frozen=True)
class Review:
    """One person's decision on one finding."""

    finding_key: str
    decision: Decision
    comment: str
    reviewed_at: datetime
    reviewed_by: str


@dataclass(frozen=True)
class AuditEntry:
    """Who did what, to what, when."""

    at: datetime
    who: str
    action: str
    subject: str
    detail: str


def finding_key(finding: Mapping[str, Any]) -> str:
    """Return the key by which a finding is known again after every load: its check and what it is about.

    Parameters
    ----------
    finding : mapping
        A row of the warehouse's ``findings``.
    """
    parts = ("" if finding.get(name) in (None, "") else str(finding[name]) for name in _IDENTITY)
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def _said(value: str, what: str) -> str:
    text = value.strip()
    if not text:
        raise PacsmeterError(f"{what} is empty", "Fill it in.")
    return text


class Ledger:
    """The book of decisions. Nothing in it is changed or deleted; a later entry stands for an earlier one."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def save_scenario(self, name: str, price_book: str, assumptions: str, option_ids: Iterable[str],
                      who: str) -> None:
        """Save a scenario; one that has the name already is kept as an earlier saving."""
        name, who = _said(name, "The scenario's name"), _said(who, "Who saves it")
        with self._engine.begin() as connection:
            connection.execute(sa.insert(scenarios).values(
                name=name, price_book=price_book, assumptions=assumptions, option_ids=json.dumps(list(option_ids)),
                saved_at=now_utc(), saved_by=who))
            _log(connection, who, "scenario saved", name)

    def scenarios(self) -> list[Scenario]:
        """Return the last saving of every scenario, newest first."""
        last = sa.select(sa.func.max(scenarios.c.scenario_id)).group_by(scenarios.c.name)
        found = sa.select(scenarios).where(scenarios.c.scenario_id.in_(last)).order_by(scenarios.c.scenario_id.desc())
        with self._engine.connect() as connection:
            return [_scenario(row) for row in connection.execute(found)]

    def load_scenario(self, name: str) -> Scenario:
        """Return the last saving of a scenario."""
        found = sa.select(scenarios).where(scenarios.c.name == name.strip()).order_by(scenarios.c.scenario_id.desc())
        with self._engine.connect() as connection:
            row = connection.execute(found.limit(1)).one_or_none()
        if row is None:
            raise PacsmeterError("There is no such scenario", "Choose one of those that were saved.", name)
        return _scenario(row)

    def record_review(self, key: str, decision: Decision | str, comment: str, who: str) -> None:
        """Record what a person made of a finding."""
        if decision not in set(Decision):
            raise PacsmeterError(f"{decision!r} is not a decision", f"Choose from: {', '.join(Decision)}.", key)
        key, who = _said(key, "The finding's key"), _said(who, "Who reviews it")
        with self._engine.begin() as connection:
            connection.execute(sa.insert(reviews).values(
                finding_key=key, decision=str(decision), comment=comment.strip(), reviewed_at=now_utc(),
                reviewed_by=who))
            _log(connection, who, "finding reviewed", key, str(decision))

    def reviews_of(self, keys: Iterable[str]) -> dict[str, list[Review]]:
        """Return every review of each finding, newest first; a finding without one is not in the answer."""
        asked = list(dict.fromkeys(keys))
        answer: dict[str, list[Review]] = {}
        with self._engine.connect() as connection:
            for start in range(0, len(asked), 500):
                found = sa.select(reviews).where(reviews.c.finding_key.in_(asked[start:start + 500]))
                for row in connection.execute(found.order_by(reviews.c.review_id.desc())):
                    answer.setdefault(row.finding_key, []).append(Review(
                        row.finding_key, Decision(row.decision), row.comment, row.reviewed_at, row.reviewed_by))
        return answer

    def pin(self, card: str, who: str, *, pinned: bool = True) -> None:
        """Put a chart on the overview, or take it off."""
        with self._engine.begin() as connection:
            connection.execute(sa.insert(pins).values(card=card, pinned=pinned, at=now_utc(), who=_said(who, "Who")))

    def pins(self) -> list[str]:
        """Return the cards on the overview, the first pinned first."""
        last = sa.select(sa.func.max(pins.c.pin_id)).group_by(pins.c.card)
        found = sa.select(pins.c.card).where(pins.c.pin_id.in_(last), pins.c.pinned).order_by(pins.c.pin_id)
        with self._engine.connect() as connection:
            return list(connection.scalars(found))

    def record_audit(self, who: str, action: str, subject: str = "", detail: str = "") -> None:
        """Record that somebody did something; never a patient's name."""
        with self._engine.begin() as connection:
            _log(connection, _said(who, "Who did it"), _said(action, "What was done"), subject, detail)

    def audit_trail(self, limit: int = 200) -> list[AuditEntry]:
        """Return the last entries of the audit trail, newest first."""
        found = sa.select(audit).order_by(audit.c.audit_id.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [AuditEntry(row.at, row.who, row.action, row.subject, row.detail)
                    for row in connection.execute(found)]

    def close(self) -> None:
        """Let the connections go."""
        self._engine.dispose()


def _log(connection: sa.Connection, who: str, action: str, subject: str, detail: str = "") -> None:
    connection.execute(sa.insert(audit).values(at=now_utc(), who=who, action=action, subject=subject, detail=detail))


def _scenario(row: Any) -> Scenario:
    return Scenario(row.name, row.price_book, row.assumptions, tuple(json.loads(row.option_ids)), row.saved_at,
                    row.saved_by)


def _keep_write_ahead_log(driver: Any) -> None:
    """Turn the write-ahead log on. While another does the same, SQLite says so at once and does not wait."""
    for left in reversed(range(_TIMES_ASKED)):
        try:
            driver.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if not left or error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(_PAUSE_SECONDS)


def _engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() == "postgresql":
        return sa.create_engine(url, pool_pre_ping=True)
    if url.get_backend_name() != "sqlite":
        raise PacsmeterError(f"A ledger cannot be kept in {url.get_backend_name()!r}",
                             "Use sqlite:///file or postgresql+psycopg://user@host/database.", "PACSMETER_LEDGER_URL")
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, connect_args={"timeout": 30})

    @sa.event.listens_for(engine, "connect")
    def _connected(driver: Any, _record: Any) -> None:
        driver.isolation_level = None
        _keep_write_ahead_log(driver)
        driver.execute("PRAGMA synchronous=FULL")

    @sa.event.listens_for(engine, "begin")
    def _begun(connection: sa.Connection) -> None:
        # The write lock is taken at once: two writers wait for each other, and never fail halfway.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _migrate(engine: sa.Engine) -> None:
    """Bring the ledger to this version, one step after the other, each once, whoever else starts now."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        migrations.create(connection, checkfirst=True)
        done = connection.scalar(sa.select(sa.func.max(migrations.c.number))) or 0
        if done > len(MIGRATIONS):
            raise PacsmeterError(f"The ledger was written by a newer version of pacsmeter (step {done})",
                                 "Install that version; an older one must not write into it.", "ledger")
        for number, step in enumerate(MIGRATIONS[done:], start=done + 1):
            step(connection)
            connection.execute(sa.insert(migrations).values(number=number, applied_at=now_utc()))


def open_ledger(settings: Settings) -> Ledger:
    """Open the ledger that the settings name, made or brought up to date where needed.

    Raises
    ------
    PacsmeterError
        Where it cannot be reached, or a newer version wrote it.
    """
    url = parse_url(settings.ledger, "PACSMETER_LEDGER_URL")
    engine = _engine(url)
    try:
        _migrate(engine)
    except SQLAlchemyError as error:
        raise PacsmeterError(f"The ledger cannot be reached ({type(error).__name__})",
                             "Check that its folder or server is there and that PACSMETER_LEDGER_URL is right.",
                             shown_url(url)) from error
    return Ledger(engine)
