"""Which components of a source's paths are masked, from what earlier loads masked and what this one reads."""

from __future__ import annotations

from collections.abc import Iterable

from analytics.core.paths import MASK, extension, masked
from analytics.core.pseudonym import Pseudonymizer
from analytics.sources.path_identity import NamedFile, condensed, names_any, words


class PathMasks:
    """Turns the paths of a walk into those the warehouse keeps.

    A component that names the patient of a file below it is masked for every file below it. Files without a patient
    of their own (not DICOM, damaged, no name in the header) are compared with the components that are masked: where
    one of their components has a word in common, it is masked too.

    Parameters
    ----------
    known : iterable of str
        Paths that earlier loads stored: what they masked stays masked.
    pseudonymizer : Pseudonymizer
    """

    def __init__(self, known: Iterable[str], pseudonymizer: Pseudonymizer) -> None:
        self._pseudonymizer = pseudonymizer
        self._known: dict[str, set[str]] = {}
        for path in known:
            self._remember(path)
        self._masked: set[str] = set()
        self._folders: dict[str, str] = {"": ""}

    def _remember(self, path: str) -> None:
        while MASK in path:
            path, _, name = path.rpartition("/")
            if name.startswith(MASK):
                self._known.setdefault(path, set()).add(name)

    def stored(self, path: str, *, is_file: bool = True) -> str:
        """Return what the warehouse keeps for a path of the walk."""
        if not is_file:
            return self._folder(path)
        folder, _, name = path.rpartition("/")
        parent = self._folder(folder)
        return _joined(parent, self._component(path, name, parent, is_file=True))

    def _folder(self, path: str) -> str:
        if path not in self._folders:
            above, _, name = path.rpartition("/")
            parent = self._folder(above)
            self._folders[path] = _joined(parent, self._component(path, name, parent, is_file=False))
        return self._folders[path]

    def _component(self, path: str, name: str, parent: str, *, is_file: bool) -> str:
        known = self._known.get(parent)
        if path not in self._masked and not known:
            return name
        mask = masked(name, self._pseudonymizer, is_file=is_file)
        if known and mask in known:
            self._masked.add(path)
        return mask if path in self._masked else name

    def learn(self, read: Iterable[NamedFile], nameless: Iterable[str] = ()) -> None:
        """Take in what headers say about the paths they stand in.

        Parameters
        ----------
        read : iterable of NamedFile
            Files of the walk; the path of every file of the walk must have been asked for before.
        nameless : iterable of str
            More paths that have no patient of their own.
        """
        without = list(nameless)
        for file in read:
            self._masked |= {_prefix(file.path, depth) for depth in file.depths}
            if not file.has_identity:
                without.append(file.path)
        given_away = {word for path in self._masked for word in words(_stem(path))} if without else set()
        for path in without:
            self._compare(path, given_away)
        self._folders = {"": ""}

    def _compare(self, path: str, given_away: set[str]) -> None:
        around: list[str] = []
        for depth in range(path.count("/") + 1):
            prefix = _prefix(path, depth)
            stem = _stem(prefix)
            if prefix not in self._masked and (words(stem) & given_away or _alike(stem, around)):
                self._masked.add(prefix)
            if prefix in self._masked:
                around.append(stem)


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _prefix(path: str, depth: int) -> str:
    return "/".join(path.split("/")[:depth + 1])


def _stem(path: str) -> str:
    name = path.rpartition("/")[2]
    return name.removesuffix(extension(name))


def _alike(stem: str, around: list[str]) -> bool:
    """Whether a name holds a word of a folder around it, or is a part of its name."""
    return any(names_any(stem, words(other)) or any(word in text for word in words(stem) for text in condensed(other))
               for other in around)
