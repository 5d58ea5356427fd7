"""Going through a folder of files: which there are, and where it was not possible to look."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from analytics.core.paths import shown
from analytics.sources.base import UNREADABLE_FOLDER, Rejected
from analytics.sources.path_masks import PathMasks

Place = tuple[str, str]
"""A file: where it is, and its path relative to the source."""


class FolderWalk:
    """Goes through a tree once, in order, following links but never in a circle.

    Parameters
    ----------
    start : Path
        The tree, or one file.
    base : Path
        What paths are relative to.

    Attributes
    ----------
    unreadable : places that could not be looked into.
    """

    def __init__(self, start: Path, base: Path) -> None:
        self._start, self._base = str(start), str(base)
        self._entered: set[tuple[int, int]] = set()
        self.unreadable: list[str] = []

    def files(self) -> Iterator[tuple[Place, int, int]]:
        """Yield each regular file with its size and modified time."""
        if Path(self._start).is_file():
            about = Path(self._start).stat()
            yield self._place(self._start), about.st_size, about.st_mtime_ns
            return
        waiting = [self._start]
        while waiting:
            folders = []
            for path in self._entries(waiting.pop()):
                try:
                    about = Path(path).stat()
                except OSError:
                    self.unreadable.append(path)
                    continue
                if stat.S_ISDIR(about.st_mode):
                    folders.append(path)
                elif stat.S_ISREG(about.st_mode):
                    yield self._place(path), about.st_size, about.st_mtime_ns
            waiting.extend(reversed(folders))

    def _entries(self, folder: str) -> list[str]:
        try:
            about = Path(folder).stat()
            if (about.st_dev, about.st_ino) in self._entered:
                return []
            self._entered.add((about.st_dev, about.st_ino))
            return sorted(entry.path for entry in os.scandir(folder))
        except OSError:
            self.unreadable.append(folder)
            return []

    def _place(self, path: str) -> Place:
        return path, shown(os.path.relpath(path, self._base))

    def could_not_look_at(self, path: str, masks: PathMasks) -> bool:
        """Whether a file of an earlier load, by its stored path, lies where this walk could not look."""
        for name in self.unreadable_names():
            if name == "." or path == masks.stored(name) or path.startswith(f"{masks.stored(name, is_file=False)}/"):
                return True
        return False

    def unreadable_names(self) -> list[str]:
        """Return the paths, relative to the source, that could not be looked at."""
        return [self._place(path)[1] for path in self.unreadable]

    def rejected(self, masks: PathMasks) -> Iterator[Rejected]:
        """Yield what could not be looked at."""
        for name in self.unreadable_names():
            yield Rejected(masks.stored(name), UNREADABLE_FOLDER,
                           "The folder or link cannot be opened; check its permissions and that its target is there.")
