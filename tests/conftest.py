"""Fixtures every test can use: a fresh home, and a store on DuckDB and on PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import sqlalchemy as sa

from analytics.core.settings import Settings
from analytics.warehouse.store import Store, open_store
from tests.support import SHARED_DICOM, need, which

# A test says what is right, not how fast: a busy machine must not fail it.
hypothesis.settings.register_profile(
    "pacsmeter", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("pacsmeter")
POSTGRES_INSTALL = "apt-get install postgresql-15"
DEMO_SCALE = 0.02


def free_port() -> int:
    """Return a port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _as_server_user() -> list[str]:
    """PostgreSQL refuses to run as root: a test run as root starts it as the user Debian makes for it."""
    if os.geteuid() != 0:
        return []
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        return ["runuser", "-u", "nobody", "--"]
    return ["runuser", "-u", "postgres", "--"]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Start a PostgreSQL of the tests' own on loopback; give the URL of its maintenance database."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    initdb = need(which("initdb", *(str(folder) for folder in reversed(binaries))), "PostgreSQL", POSTGRES_INSTALL)
    server = Path(initdb).with_name("pg_ctl")
    folder = Path(tempfile.mkdtemp(prefix="pacsmeter-pg-"))
    user = _as_server_user()
    if user:
        shutil.chown(folder, user[2])
    port = free_port()
    data = folder / "data"
    subprocess.run([*user, initdb, "-D", str(data), "-U", "pacsmeter", "-A", "trust", "-E", "UTF8", "--no-sync"],
                   check=True, capture_output=True, cwd="/")
    options = f"-c listen_addresses=127.0.0.1 -p {port} -c fsync=off -k {folder}"
    subprocess.run([*user, str(server), "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start"],
                   check=True, stdout=subprocess.DEVNULL, cwd="/")
    try:
        yield f"postgresql+psycopg://pacsmeter@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*user, str(server), "-D", str(data), "-m", "immediate", "stop"], check=False,
                       stdout=subprocess.DEVNULL, cwd="/")
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _database(postgres_server: str) -> Iterator[str]:
    name = f"t{uuid.uuid4().hex[:12]}"
    admin = sa.create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    yield sa.make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """Give the URL of an empty database, dropped when the test ends."""
    with _database(postgres_server) as url:
        yield url


@pytest.fixture
def archive_url(postgres_server: str) -> Iterator[str]:
    """Give the URL of another empty database, for an archive that is read."""
    with _database(postgres_server) as url:
        yield url


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Give the settings of an empty installation with a DuckDB warehouse."""
    return Settings(home=tmp_path / "home", site_zone="UTC", _env_file=None)  # type: ignore[call-arg]


@pytest.fixture(params=["duckdb", "postgresql"])
def store(request: pytest.FixtureRequest, settings: Settings) -> Store:
    """Give an empty store, once on each engine."""
    if request.param == "duckdb":
        return open_store(settings)
    url = request.getfixturevalue("postgres_url")
    return open_store(settings.model_copy(update={"warehouse_url": type(settings.warehouse_url)(url)}))


@pytest.fixture
def duck_store(settings: Settings) -> Store:
    """Give an empty store on DuckDB, for tests that are not about the engine."""
    return open_store(settings)


@pytest.fixture
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """Give a site of the kind that a test is parametrized with (``indirect``)."""
    kind = request.param
    made = kind(tmp_path / "site", *((request.getfixturevalue("archive_url"),) if kind.needs_postgres else ()))
    yield made
    made.close()


@pytest.fixture(scope="session")
def shared_dicom() -> Path:
    """Give the folder of real series, or skip where a checkout has none beside it."""
    if not SHARED_DICOM.is_dir():
        pytest.skip("no real series beside this checkout (../shared/dicom)")
    return SHARED_DICOM


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a home whose warehouse holds a small demo hospital and its images, refreshed once for the session."""
    from analytics.refresh import demo_sources, refresh

    home = tmp_path_factory.mktemp("demo") / "home"
    settings = Settings(home=home, _env_file=None)  # type: ignore[call-arg]
    refresh(open_store(settings), settings, demo_sources(settings, scale=DEMO_SCALE), note="load demo")
    return home


@pytest.fixture
def demo_settings(demo_home: Path) -> Settings:
    """Give the settings of the small demo hospital; tests only read it."""
    return Settings(home=demo_home, _env_file=None)  # type: ignore[call-arg]
