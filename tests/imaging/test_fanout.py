"""Fan-out: the same on processes and on Dask; a bad file costs itself alone."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any

import pytest

from analytics.core.errors import PacsmeterError
from analytics.imaging.fanout import Row, local_executor, measure_files


def work(path: str) -> list[Row]:
    """Do what the path says."""
    if path == "dies":
        os._exit(13)
    if path == "hangs":
        time.sleep(600)
    if path == "fails":
        raise ZeroDivisionError
    return [{"measure": "length", "value": len(path)}]


def unmeasured(message: str) -> Row:
    return {"measure": "decoded", "value": 0, "message": message}


def run(paths: list[str], open_executor: Callable[[], Executor], **options: Any) -> dict[str, list[Row]]:
    return {paths[index]: rows for index, rows in measure_files(paths, open_executor, work, unmeasured, **options)}


def test_a_file_that_kills_its_worker_or_hangs_or_fails_costs_itself_alone() -> None:
    good = [f"file{n}" for n in range(12)]
    got = run([*good[:5], "dies", "hangs", "fails", *good[5:]], local_executor(2, seconds_a_file=1.0))
    assert {path: got[path][0]["value"] for path in good} == {path: len(path) for path in good}
    assert "took too long" in got["hangs"][0]["message"]
    assert "ended the process" in got["dies"][0]["message"]
    assert "ZeroDivisionError" in got["fails"][0]["message"]


def test_in_flight_is_bounded_and_stopping_early_leaves_the_rest() -> None:
    submitted: list[str] = []

    class Counting(ThreadPoolExecutor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            submitted.extend(args)
            return super().submit(fn, *args, **kwargs)

    results = measure_files([f"file{n}" for n in range(100)], partial(Counting, 1), work, unmeasured, workers=2)
    for _ in range(3):
        next(results)
    results.close()
    assert 3 <= len(submitted) <= 3 + 4


def test_progress_counts_every_file() -> None:
    seen: list[tuple[int, int | None]] = []
    run(["a", "b", "fails"], partial(ThreadPoolExecutor, 1),
        progress=lambda stage, done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_workers_that_cannot_start_are_one_clear_error() -> None:
    dying = partial(ProcessPoolExecutor, 1, mp_context=get_context("spawn"), initializer=os._exit, initargs=(3,))
    with pytest.raises(PacsmeterError, match="cannot be started"):
        run(["a"], dying)


def test_dask_gives_the_same_rows(tmp_path: Any) -> None:
    distributed = pytest.importorskip("distributed", reason="pip install 'pacsmeter[dask]'")
    paths = [f"file{'x' * n}" for n in range(20)]
    with distributed.LocalCluster(n_workers=1, threads_per_worker=2, processes=False,
                                  dashboard_address="127.0.0.1:0", local_directory=str(tmp_path)) as cluster, \
            distributed.Client(cluster) as client:
        executor = client.get_executor()
        spread = run([*paths, "fails"], lambda: executor, owned=False)
    assert spread == run([*paths, "fails"], partial(ThreadPoolExecutor, 1))
