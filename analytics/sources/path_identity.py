"""Whom a file's path names: its components are compared with the patient in its header, where the header is read.

What leaves here is which components name the patient, never the patient.
"""

from __future__ import annotations

import functools
import re
import unicodedata
import warnings
from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.filereader import read_partial

from analytics.core.errors import PacsmeterError
from analytics.core.pseudonym import is_placeholder
from analytics.sources import dicom_values as dv
from analytics.sources.base import Identity
from analytics.sources.dicom_extent import looks_like_dicom

_CHARACTER_SET, _NAME, _ID, _BORN, _STUDY = 0x00080005, 0x00100010, 0x00100020, 0x00100030, 0x0020000D
_LEAST_LETTERS, _LEAST_DIGITS, _LEAST_OF_AN_ID = 3, 4, 4
_ESCAPED = re.compile(r"\\x([0-9a-f]{2})")
_PLAIN = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th"})
_SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})


@dataclass(frozen=True)
class NamedFile:
    """What a file's header says about its path.

    Attributes
    ----------
    path : relative to the source.
    has_identity : whether a patient could be read.
    depths : positions of the components that name the patient.
    """

    path: str
    has_identity: bool
    depths: tuple[int, ...]


def spellings(text: str) -> tuple[str, ...]:
    """Return how a text may be spelled without case and accents: ``Müller`` as ``muller`` and ``mueller``."""
    whole = unicodedata.normalize("NFC", _ESCAPED.sub(lambda byte: chr(int(byte[1], 16)), text)).casefold()
    both = (whole.translate(_PLAIN), whole.translate(_SPELLED_OUT).translate(_PLAIN))
    bare = ("".join(one for one in unicodedata.normalize("NFKD", each) if not unicodedata.combining(one))
            for each in both)
    return tuple(dict.fromkeys(bare))


@functools.lru_cache(4_096)
def condensed(text: str) -> tuple[str, ...]:
    """Return the spellings of a text without anything between its letters and digits."""
    return tuple("".join(filter(str.isalnum, one)) for one in spellings(text))


def words(text: str) -> set[str]:
    """Return what in a text may be a name or a number of a patient: runs of letters, and of digits."""
    runs = {run for one in spellings(text) for run in re.findall(r"[^\W\d_]+|\d+", one)}
    return {run for run in runs if len(run) >= (_LEAST_DIGITS if run.isdigit() else _least_letters(run))}


def _least_letters(word: str) -> int:
    return _LEAST_LETTERS if word.isascii() else 2  # names in other scripts are often as short


@functools.lru_cache(256)
def identities(patient_id: str, patient_name: str, birth_date: str) -> frozenset[str]:
    """Return the texts that give a patient away in a path: names, the whole id, the birth date.

    Parameters
    ----------
    patient_id, patient_name : str
        As the header has them. A placeholder is nobody's id.
    birth_date : str
        DA.
    """
    found = set()
    for group in patient_name.split("="):
        for one in spellings(group):
            tokens = ["".join(filter(str.isalnum, token)) for token in re.split(r"[\W_]+", one)]
            found |= {token for token in tokens if sum(map(str.isalpha, token)) >= _least_letters(token)}
    if not is_placeholder(patient_id):
        found |= {one for one in condensed(patient_id) if len(one) >= _LEAST_OF_AN_ID}
    born = dv.date_of(birth_date)
    return frozenset(found | ({born.strftime(order) for order in ("%Y%m%d", "%d%m%Y", "%m%d%Y")} if born else set()))


def names_any(component: str, of: Set[str]) -> bool:
    """Whether a component of a path contains one of the texts that give a patient away."""
    return any(one in text for text in condensed(component) for one in of)


def said_in(text: str, of: Set[str]) -> bool:
    """Whether what somebody wrote says whom it is about: a name as a word of its own, a number anywhere."""
    numbers = {one for one in of if any(map(str.isdigit, one))}
    return bool(words(text) & of) or names_any(text, numbers)


def find_names(places: list[tuple[str, str]]) -> list[NamedFile]:
    """Say of some files which components of their paths name their patients: what one task of an executor does."""
    return [_find_name(path, name) for path, name in places]


def _find_name(path: str, name: str) -> NamedFile:
    identity = _read_identity(path)
    depths = (depth for depth, component in enumerate(name.split("/")) if names_any(component, identity))
    return NamedFile(name, bool(identity), tuple(depths) if identity else ())


def _read_identity(path: str) -> frozenset[str]:
    try:
        held = read_header_values(path, (_NAME, _ID, _BORN))
    except Exception:  # a damaged file can break a parser anywhere; the load itself counts and names it
        return frozenset()
    return identities(held[_ID], held[_NAME], held[_BORN]) if held else frozenset()


def read_header_values(path: str | Path, tags: Sequence[int]) -> dict[int, str]:
    """Return the text of some elements of a file's header, in its character set; nothing where it is not DICOM.

    Parameters
    ----------
    path : str or Path
    tags : sequence of int
        In ascending order; nothing after the last is read.
    """
    with Path(path).open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not looks_like_dicom(file):
            return {}
        held = read_partial(file, lambda tag, vr, length: tag > tags[-1], force=True,
                            specific_tags=[_CHARACTER_SET, *tags])
        character_set = _text(held.get_item(_CHARACTER_SET) if _CHARACTER_SET in held else None, _CHARACTER_SET,
                              ["ascii"])
        encodings = dv.encodings_of([one.strip() for one in character_set.split("\\") if one])
        return {tag: _text(held.get_item(tag) if tag in held else None, tag, encodings) for tag in tags}


def identity_in(path: Path, study_instance_uid: str) -> Identity | None:
    """Return whom a file is of; nothing where it is not DICOM, or of another study.

    Raises
    ------
    PacsmeterError
        The file cannot be read.
    """
    try:
        held = read_header_values(path, (_NAME, _ID, _BORN, _STUDY))
    except Exception:  # a parser's own words could quote the header
        raise PacsmeterError("An image of the study cannot be read", "Load its folder again.") from None
    if held.get(_STUDY, "").strip("\x00 ") != study_instance_uid:
        return None
    return Identity(held[_ID], held[_NAME], held[_BORN])


def _text(element: object, tag: int, encodings: list[str]) -> str:
    if not isinstance(element, RawDataElement) or not element.value:
        return ""
    return dv.decoded(element.value, dictionary_VR(tag), encodings)[0].strip()
