"""Studies without a study date, where an archive cuts its answer for all studies short.

No range of dates matches them by the standard. Archives that keep an absent date as an empty text match them by a range
without a beginning, as ``''`` comes before every date; the others answer nothing to it, and nothing is lost by asking.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from analytics.core.terms import MODALITIES
from analytics.sources.crawl import Answer, Found
from analytics.sources.crawl_answers import Key
from analytics.sources.crawl_ranges import FIRST_DAY

BEFORE_ALL = f"-{FIRST_DAY - timedelta(days=1):%Y%m%d}"
_FIRST_OF_AN_ID = string.digits + string.ascii_uppercase


def dateless_studies(ask: Callable[[Mapping[str, str], str], Answer],
                     dateless: Callable[[Found], bool]) -> dict[Key, Found]:
    """Return the studies without a study date that a range without a beginning finds.

    Parameters
    ----------
    ask : callable
        Asks for what must match, with words for it in errors.
    dateless : callable
        Whether a study has no study date at all.
    """
    held: dict[Key, Found] = {}
    longest = 0

    def asked(**matching: str) -> bool:
        """Take what is answered; whether there may be more: a shorter answer than the longest was not cut."""
        nonlocal longest
        answer = ask({"StudyDate": BEFORE_ALL, **matching}, "studies without a date")
        held.update((one.key, one) for one in answer.found if dateless(one))
        longest = max(longest, len(answer.found))
        return answer.incomplete or 0 < longest == len(answer.found)

    if asked():
        for first in _FIRST_OF_AN_ID:
            if asked(PatientID=f"{first}*"):
                for modality in _with_seen(held.values()):
                    asked(PatientID=f"{first}*", ModalitiesInStudy=modality)
        for modality in _with_seen(held.values()):
            asked(ModalitiesInStudy=modality)
    return held


def _with_seen(found: Iterable[Found]) -> list[str]:
    return sorted({modality for one in found for modality in one.modalities} | set(MODALITIES))
