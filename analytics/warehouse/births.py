"""Taking out of a warehouse what a site no longer keeps of birth dates: rows that no load reads again have it still."""

from __future__ import annotations

import sqlalchemy as sa

from analytics.warehouse.schema import crawled_studies, instances, orders, studies
from analytics.warehouse.store import Draft


def forget_births(draft: Draft, birth: str) -> None:
    """Keep no more of the birth dates in a draft than is wanted.

    Snapshots that were published before keep what they have until they are let go.

    Parameters
    ----------
    draft : Draft
    birth : str
        `analytics.core.settings.Settings.birth_date`: ``year`` (nothing is taken out), ``age`` or ``none``.
    """
    if birth == "year":
        return
    for table in (studies, instances, orders, crawled_studies):
        year = table.c.patient_birth_year
        draft.execute(sa.update(table).values(patient_birth_year=None).where(year.is_not(None)))
        if "patient_age_years" not in table.c:
            continue
        age = table.c.patient_age_years
        if birth == "none":
            draft.execute(sa.update(table).values(patient_age_years=None).where(age.is_not(None)))
        else:
            whole = sa.func.floor(age)
            draft.execute(sa.update(table).values(patient_age_years=whole).where(age != whole))
