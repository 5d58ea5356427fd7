"""A load killed by the system at any moment, and readers in another process meanwhile."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from analytics.core.settings import Settings
from analytics.warehouse.schema import studies
from analytics.warehouse.store import open_store
from tests.support import ROOT, build

LOADER = """
import sys
import pyarrow as pa
from pathlib import Path
from analytics.core.settings import Settings
from analytics.warehouse.engine import table_schema
from analytics.warehouse.schema import studies
from analytics.warehouse.store import open_store

settings = Settings(home=Path(sys.argv[1]), warehouse_url=sys.argv[2], _env_file=None)
store = open_store(settings)

def say(step):
    print(step, flush=True)
    if step in sys.argv[3:]:
        sys.stdin.readline()

with store.draft() as draft:
    say("copied")
    for part in range(3):
        rows = [{"source_id": "a", "study_instance_uid": f"{part}.{n}", "patient_key": "p"} for n in range(1000)]
        draft.stage(studies, pa.RecordBatch.from_pylist(rows, schema=table_schema(studies)))
        say(f"staged {part}")
        draft.merge(studies, "a")
        say(f"merged {part}")
say("published")
"""
STEPS = ["copied", "staged 0", "merged 0", "staged 1", "merged 2"]


def start(settings: Settings, *pauses: str) -> subprocess.Popen[str]:
    """Start a load in another process; it waits for a line at each of its pauses."""
    url = settings.warehouse_url.get_secret_value()
    return subprocess.Popen([sys.executable, "-c", LOADER, str(settings.home), url, *pauses], cwd=ROOT,
                            text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def wait_for(loader: subprocess.Popen[str], step: str) -> None:
    assert loader.stdout is not None
    for line in loader.stdout:
        if line.strip() == step:
            return
    pytest.fail(f"the loader ended before {step!r}")


@pytest.fixture(params=["duckdb", "postgresql"])
def site(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        settings = settings.model_copy(update={"warehouse_url": type(settings.warehouse_url)(url)})
    build(open_store(settings), {studies: [{"study_instance_uid": "first", "patient_key": ""}]})
    return settings


@pytest.mark.parametrize("step", STEPS)
def test_a_load_killed_at_any_step_leaves_the_last_snapshot_and_the_next_finishes(site: Settings, step: str) -> None:
    store = open_store(site)
    loader = start(site)
    wait_for(loader, step)
    loader.send_signal(signal.SIGKILL)
    loader.wait()
    assert store.current_revision() == 1
    assert store.current().read(sa.select(studies.c.study_instance_uid)).iloc[:, 0].tolist() == ["first"]

    again = start(site)
    wait_for(again, "published")
    again.wait()
    assert store.current().count(studies) == 3001
    assert store.current().count(sa.select(studies.c.study_instance_uid).distinct()) == 3001


def test_a_reader_in_another_process_goes_on_while_a_load_runs(site: Settings) -> None:
    loader = start(site, "staged 1")
    wait_for(loader, "staged 1")
    reader = open_store(site).current()
    assert (reader.revision, reader.count(studies)) == (1, 1)
    assert loader.stdin is not None
    loader.stdin.write("go on\n")
    loader.stdin.flush()
    wait_for(loader, "published")
    loader.wait()
    assert reader.count(studies) == 1, "a reader keeps the snapshot that it opened"
    assert open_store(site).current().count(studies) == 3001


def test_a_draft_that_cannot_be_opened_is_begun_again(settings: Settings) -> None:
    store = open_store(settings)
    build(store, {studies: [{"study_instance_uid": "first", "patient_key": ""}]})
    (Path(settings.home) / "warehouse" / "draft-000001.duckdb").write_bytes(b"not a database" * 1000)
    assert build(store, {studies: [{"study_instance_uid": "second", "patient_key": ""}]}).count(studies) == 2
