"""The identifier of a C-FIND: what is asked for, and the text of what is answered, whatever character set it is in."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydicom import config
from pydicom.charset import python_encoding
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset

from analytics.sources import dicom_values as dv

_CHARACTER_SET = "SpecificCharacterSet"


@dataclass(frozen=True)
class Match:
    """One match of an answer.

    Attributes
    ----------
    values : DICOM keyword to text; several values are parted by a backslash.
    undecodable : its character set is not known, or cannot decode all of its text.
    """

    values: Mapping[str, str]
    undecodable: bool = False


def request(level: str, matching: Mapping[str, str], keywords: Iterable[str]) -> Dataset:
    """Return the identifier of a request: what must match, and what is to be returned.

    Parameters
    ----------
    level : str
        QueryRetrieveLevel (0008,0052): STUDY or SERIES.
    matching : mapping of str to str
        Keyword to the value, range or list to match; empty where any will do.
    keywords : iterable of str
        What to return.
    """
    identifier = Dataset()
    identifier.QueryRetrieveLevel = level
    for keyword in keywords:
        setattr(identifier, keyword, "")
    for keyword, value in matching.items():
        # A range is no valid DA or TM to pydicom.
        identifier.add(DataElement(keyword, dictionary_VR(keyword), value, validation_mode=config.IGNORE))
    return identifier


def read_match(identifier: Dataset, keywords: Iterable[str]) -> Match:
    """Return the text of a match; nothing in it makes this fail.

    Parameters
    ----------
    identifier : Dataset
        As it was received: its values are still raw.
    keywords : iterable of str
        What to read.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        raw, _ = _text(identifier, _CHARACTER_SET, ["ascii"])
        character_set = [one.strip() for one in raw.split("\\")] if raw else []
        undecodable = any(one and one not in python_encoding for one in character_set)
        encodings = dv.encodings_of(character_set)
        values = {}
        for keyword in keywords:
            values[keyword], whole = _text(identifier, keyword, encodings)
            undecodable |= not whole
    return Match(values, undecodable)


def _text(identifier: Dataset, keyword: str, encodings: list[str]) -> tuple[str, bool]:
    tag = tag_for_keyword(keyword)
    element = identifier.get_item(tag) if tag is not None and tag in identifier else None
    if not isinstance(element, RawDataElement) or not isinstance(element.value, bytes):
        return "", True
    text, whole = dv.decoded(element.value, dictionary_VR(element.tag), encodings)
    return "\\".join(part.strip() for part in text.split("\\")), whole
