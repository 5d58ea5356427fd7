"""What goes wrong with dcm4chee's database: one clear line each, and nothing that it holds in it."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.settings import Settings
from analytics.sources import dcm4chee_index
from analytics.sources.archive_database import read_only
from analytics.sources.base import Known
from analytics.sources.open import open_source
from tests.sources.dcm4chee_database import Dcm4cheeDatabase, Reading
from tests.sources.sites import BORN, IDS, NAMES, SECRETS

ASKS_FOR_ENCRYPTION = (80877103, 80877104)
OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> " \
         "pg_backend_pid()"


@pytest.fixture
def archive(postgres_url: str) -> Dcm4cheeDatabase:
    """Give an archive of five studies with three series each."""
    made = Dcm4cheeDatabase(postgres_url)
    for number in range(5):
        study = made.study(made.patient([IDS[number % 3]], NAMES[number % 3], BORN[number % 3]), f"1.2.{number}")
        for one in range(3):
            made.series(study, f"1.2.{number}.{one}", modality="CT")
    return made


def fault(spec: str, settings: Settings) -> PacsmeterError:
    """Return the error of reading a source, which says nothing that it must not."""
    source = open_source(spec, settings)
    with pytest.raises(PacsmeterError) as caught:
        for _ in source.batches(Known(), lambda *_: None):
            pass
    return checked(caught.value)


def checked(error: PacsmeterError) -> PacsmeterError:
    text = f"{error} {error.__cause__!r}"
    assert error.__context__ is None or error.__suppress_context__
    assert [secret for secret in (*SECRETS, "not-to-be-shown") if secret in text] == []
    assert "\n" not in str(error)
    return error


@contextlib.contextmanager
def refusing_server() -> Iterator[int]:
    """Give the port of a server that answers every sign-in as PostgreSQL answers a wrong password."""
    fields = b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user \"reader\"\0\0"

    def answer(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    while struct.unpack(">II", connection.recv(8))[1] in ASKS_FOR_ENCRYPTION:
                        connection.sendall(b"N")
                    connection.recv(4096)
                    connection.sendall(b"E" + struct.pack(">I", len(fields) + 4) + fields)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]


def test_a_wrong_password(settings: Settings) -> None:
    with refusing_server() as port:
        error = fault(f"dcm4chee+postgresql://reader:not-to-be-shown@127.0.0.1:{port}/pacsdb", settings)
    assert "refuses the user or the password" in str(error)
    assert error.record == f"dcm4chee+postgresql://reader@127.0.0.1:{port}/pacsdb"


def test_a_dead_server_and_a_database_that_is_not_there(archive: Dcm4cheeDatabase, settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    dead = fault(f"dcm4chee+postgresql://reader:not-to-be-shown@127.0.0.1:{port}/pacsdb", settings)
    nowhere = fault(archive.spec.replace(str(archive.url.database), "nothing_there"), settings)
    for error in (dead, nowhere):
        assert str(error).startswith("dcm4chee's database cannot be reached")


def test_a_database_of_something_else(postgres_url: str, settings: Settings) -> None:
    url = sa.make_url(postgres_url).set(drivername="dcm4chee+postgresql").render_as_string(hide_password=False)
    assert "not a database of dcm4chee" in str(fault(url, settings))


def test_another_release_lacks_a_column(archive: Dcm4cheeDatabase, settings: Settings) -> None:
    archive.run("ALTER TABLE study DROP COLUMN storage_ids")
    error = fault(archive.spec, settings)
    assert "no column study.storage_ids" in str(error) and "Only release 5.35" in error.remedy
    archive.run("DROP TABLE mpps")
    assert "no column study.storage_ids that this user may read, nor 6 others" in str(fault(archive.spec, settings))


def test_a_user_without_rights(archive: Dcm4cheeDatabase, settings: Settings) -> None:
    role = f"reader_{archive.url.database}"
    archive.run(f"CREATE ROLE {role} LOGIN", f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    spec = archive.spec.replace("pacsmeter@", f"{role}@")
    try:
        archive.run(f"REVOKE SELECT ON location FROM {role}")  # noqa: S608
        error = fault(spec, settings)
        assert "no column location.pk that this user may read" in str(error) and "SELECT" in error.remedy
        archive.run(f"GRANT SELECT ON location TO {role}")
        source = open_source(spec, settings)
        assert sum(batch.rows.num_rows for batch in source.batches(Known(), lambda *_: None)) == 20  # type: ignore[union-attr]
    finally:
        archive.run(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


@pytest.mark.parametrize("batches", [1, 2, 3], ids=["between two parts", "between two pages", "in the next page"])
def test_a_server_that_dies_half_way(
        archive: Dcm4cheeDatabase, settings: Settings, monkeypatch: pytest.MonkeyPatch, batches: int) -> None:
    monkeypatch.setattr(dcm4chee_index, "STUDIES_A_PAGE", 1)
    monkeypatch.setattr(dcm4chee_index, "ROWS_AT_ONCE", 2)
    source = open_source(archive.spec, settings)
    reading = source.batches(Known(), lambda *_: None)
    for _ in range(batches):
        next(reading)
    archive.run(OTHERS)
    with pytest.raises(PacsmeterError, match="was lost while it was read") as caught:
        list(reading)
    checked(caught.value)
    assert source.coverage.complete == set()


def test_a_question_that_takes_too_long_is_given_up(
        archive: Dcm4cheeDatabase, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dcm4chee_index, "SECONDS_A_QUESTION", 0.1)
    with archive.engine.begin() as other:
        other.exec_driver_sql("LOCK TABLE study IN ACCESS EXCLUSIVE MODE")
        assert "took too long over one question" in str(fault(archive.spec, settings))


def test_what_is_read_is_one_state_of_the_archive(
        archive: Dcm4cheeDatabase, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dcm4chee_index, "STUDIES_A_PAGE", 2)
    before = Reading(archive, settings).tables
    source = open_source(archive.spec, settings, site="North")
    reading = source.batches(Known(), lambda *_: None)
    read = [next(reading)]
    archive.run("DELETE FROM series WHERE study_fk > 3", "DELETE FROM study WHERE pk > 3",
                "UPDATE study SET study_desc = 'CHANGED'")
    read += list(reading)
    assert [row for batch in read if batch.table.name == "studies" for row in batch.rows.to_pylist()  # type: ignore[union-attr]
            ] == before["studies"]


def test_series_that_lost_their_study_are_missed(archive: Dcm4cheeDatabase, settings: Settings) -> None:
    archive.series(99, "1.2.99.1")
    assert "holds 5 studies and 16 series, and 5 and 15 could be read" in str(fault(archive.spec, settings))


def test_the_database_refuses_every_write(archive: Dcm4cheeDatabase) -> None:
    with read_only(archive.url, "dcm4chee", "") as connection, pytest.raises(
            sa.exc.DBAPIError, match="read-only transaction"):
        connection.execute(sa.text("DELETE FROM study"))


def test_text_in_another_encoding_than_the_database_says(
        archive: Dcm4cheeDatabase, settings: Settings, postgres_server: str) -> None:
    name = f"{archive.url.database}_ascii"
    admin = sa.create_engine(postgres_server, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' "
                                   "LC_CTYPE 'C'")
    try:
        other = Dcm4cheeDatabase(archive.url.set(database=name).render_as_string(hide_password=False))
        other.study(other.patient([IDS[0]], NAMES[0], BORN[0]), "1.2.1")
        assert Reading(other, settings).of("1.2.1")["patient_birth_year"] == 1943
        other.run("SET client_encoding = 'SQL_ASCII'; UPDATE study SET study_desc = E'M\\374ller'")
        assert "in another encoding than it says" in str(fault(other.spec, settings))
    finally:
        with admin.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_page_is_read_by_indexes_though_the_planner_knows_nothing(archive: Dcm4cheeDatabase) -> None:
    with read_only(archive.url, "dcm4chee", "") as connection:
        dcm4chee_index.prepare(connection, "")
        for page in (dcm4chee_index.study_page(0), dcm4chee_index.series_page(0, 3)):
            asked = page.compile(connection, compile_kwargs={"literal_binds": True})
            plan = "\n".join(connection.execute(sa.text(f"EXPLAIN {asked}")).scalars())
            assert "Index Scan using" in plan
            assert [bad for bad in ("Seq Scan", "Bitmap") if bad in plan] == []
            assert plan.splitlines()[0].startswith("Nested Loop"), "in the order of the key, without a sort"
