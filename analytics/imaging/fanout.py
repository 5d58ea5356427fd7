"""Work over many files, written once against `concurrent.futures.Executor`.

On one machine the executor is a pool of processes; on many it is a Dask client's. Workers get paths and return
plain rows, never datasets. A file that kills its worker or never ends costs itself, not the others.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from functools import partial
from pathlib import Path
from time import monotonic
from typing import IO, Any, Protocol

from analytics.core.errors import PacsmeterError
from analytics.core.progress import Progress, silent

Row = dict[str, Any]
Work = Callable[[str], list[Row]]
OpenExecutor = Callable[[], Executor]
SECONDS_A_FILE = 120.0
IN_FLIGHT_A_WORKER = 2
KILLED = ("Decoding or measuring it ended the process or took too long. "
          "The file may be damaged: retrieve it again from the archive.")


class Unmeasured(Protocol):
    """Makes the row of a file that could not be measured."""

    def __call__(self, message: str) -> Row: ...


def measure_files(paths: Sequence[str], open_executor: OpenExecutor, work: Work, unmeasured: Unmeasured, *,
                  workers: int = 2, owned: bool = True, patience: float = 3 * SECONDS_A_FILE,
                  progress: Progress = silent) -> Generator[tuple[int, list[Row]]]:
    """Yield the rows of each file as they are ready, in any order.

    Parameters
    ----------
    paths : sequence of str
    open_executor : callable
        Opens the executor; called again where a file has broken it.
    work : callable
        Path to rows; it can be pickled, and so can its rows.
    unmeasured : callable
        Message to the row of a file that broke the executor, failed or took too long.
    workers : int
        At most twice as many files are with the executor at a time.
    owned : bool
        Shut the executor down at the end; false where it is the caller's.
    patience : float
        Seconds after which a file is given up whatever its worker does.
    progress : Progress

    Yields
    ------
    (int, list of dict)
        Position in ``paths`` and the file's rows. Closing the iterator stops the work.

    Raises
    ------
    PacsmeterError
        The workers cannot be started, or those of the caller have gone.
    """
    pool = _Pool(open_executor, work, unmeasured, owned, patience)
    suspects: list[int] = []
    done = 0
    try:
        for index, rows in pool.run(paths, range(len(paths)), IN_FLIGHT_A_WORKER * workers):
            if rows is None:
                suspects.append(index)
                continue
            done += 1
            progress("measuring images", done, len(paths))
            yield index, rows
        # Whichever of the files that were in flight breaks the executor again, now alone, is the one that does it.
        for index, rows in pool.run(paths, suspects, 1):
            done += 1
            progress("measuring images", done, len(paths))
            yield index, rows if rows is not None else [unmeasured(KILLED)]
    finally:
        pool.stop()


class _Pool:
    """An executor, opened when first needed and again where a file has broken it."""

    def __init__(self, open_executor: OpenExecutor, work: Work, unmeasured: Unmeasured, owned: bool,
                 patience: float) -> None:
        self._open, self._task, self._unmeasured = open_executor, partial(_guarded, work), unmeasured
        self._owned, self._patience = owned, patience
        self._executor: Executor | None = None

    def run(self, paths: Sequence[str], indices: Iterable[int], width: int) -> Iterator[tuple[int, list[Row] | None]]:
        """Yield each file's rows, ``None`` for those in flight when the executor broke."""
        queue = deque(indices)
        flying: dict[Future[list[Row]], tuple[int, float]] = {}
        while queue or flying:
            while queue and len(flying) < width:
                index = queue.popleft()
                flying[self._submit(paths[index])] = index, monotonic() + self._patience
            earliest = min(due for _, due in flying.values())
            finished, _ = wait(flying, max(0.0, earliest - monotonic()), FIRST_COMPLETED)
            for future in finished:
                index, _ = flying.pop(future)
                yield index, self._rows(future)
            if self._executor is None:
                yield from ((index, None) for index, _ in flying.values())
                flying.clear()
            for future in [future for future, (_, due) in flying.items() if due <= monotonic()]:
                future.cancel()
                index, _ = flying.pop(future)
                yield index, [self._unmeasured(KILLED)]

    def _submit(self, path: str) -> Future[list[Row]]:
        if self._executor is None:
            self._executor = self._open()
            try:
                self._executor.submit(os.getpid).result()
            except BrokenExecutor as error:
                raise PacsmeterError("The processes that measure images cannot be started",
                                     "Check the memory that is free, then try again.") from error
        return self._executor.submit(self._task, path)

    def _rows(self, future: Future[list[Row]]) -> list[Row] | None:
        try:
            return future.result()
        except BrokenExecutor as error:
            if not self._owned:
                raise PacsmeterError("The workers that measure images have gone",
                                     "Start them again; what is measured is kept.") from error
            self.stop()
            return None
        except Exception as error:  # whatever a worker raises is about its one file
            return [self._unmeasured(f"It could not be measured ({type(error).__name__}). Report the kind of image.")]

    def stop(self) -> None:
        """Let the executor go without waiting for what it is doing."""
        if self._executor is not None and self._owned:
            self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = None


def local_executor(workers: int, seconds_a_file: float = SECONDS_A_FILE) -> OpenExecutor:
    """Return what opens a pool of processes on this machine; a file that takes too long ends its process."""
    return partial(ProcessPoolExecutor, workers, mp_context=multiprocessing.get_context("spawn"),
                   initializer=_start_worker, initargs=(seconds_a_file,))


def dask_executor(address: str) -> Executor:
    """Return the executor of a Dask scheduler, whose workers see the same folders (the extra ``dask``)."""
    try:
        from distributed import Client
    except ImportError as error:
        raise PacsmeterError("Dask is not installed", "Install the extra: pip install 'pacsmeter[dask]'.") from error
    return Client(address).get_executor()


_limit: tuple[float, IO[str]] | None = None


def _start_worker(seconds: float) -> None:
    """Prepare a process of the local pool: the parent alone answers Ctrl-C and says what went wrong.

    What decoders print goes nowhere: it can hold values of the header.
    """
    global _limit
    nowhere = Path(os.devnull).open("w")  # noqa: SIM115 (open as long as the process)
    os.dup2(nowhere.fileno(), 2)
    _limit = seconds, nowhere
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _guarded(work: Work, path: str) -> list[Row]:
    """Do the work; a process of the local pool ends where it takes too long, even inside a decoder's C code."""
    if _limit is None:
        return work(path)
    seconds, nowhere = _limit
    faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
    try:
        return work(path)
    finally:
        faulthandler.cancel_dump_traceback_later()
