"""What a site keeps of birth dates: nowhere more than it wants, and the ages are right."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from analytics.checks.results import check_summary
from analytics.core.filters import Filters
from analytics.core.settings import Settings
from analytics.refresh import refresh
from analytics.sources import identities
from analytics.sources.load import load_source
from analytics.sources.patient import completed_years
from analytics.warehouse.births import forget_births
from analytics.warehouse.schema import instances, metadata, orders, studies
from analytics.warehouse.store import Store, Warehouse, open_store
from tests.sources.fake_orthanc import OrthancIndex
from tests.sources.sites import BORN, SECRETS, Export, Folder, Site, dicom_dataset
from tests.sources.test_contract import SITES
from tests.sources.test_privacy import every_text
from tests.support import put

AGES = {"1.2.0": 83, "1.2.1": 69, "1.2.2": 56}
"""On 1, 2 and 3 July 2026, of those born on 1943-02-17, 1956-11-23 and 1969-08-31: 83; not 70 yet; not 57 yet."""


def years_in(warehouse: Warehouse) -> list[str]:
    """Return the columns of any table that hold one of the birth years, or a number of a year that is no exam's."""
    found = []
    for table in metadata.sorted_tables:
        held = warehouse.arrow(sa.select(table))
        for name, column in zip(held.schema.names, held.columns, strict=True):
            values = {str(value) for value in column.unique().to_pylist()}
            if any(str(year) in value for year in (1943, 1956, 1969) for value in values
                   if len(value) < 30 and not name.endswith("_ns")):
                found.append(f"{table.name}.{name}")
    return found


def loaded(site: Site, settings: Settings, birth: str) -> Warehouse:
    settings = settings.model_copy(update={"birth_date": birth})
    with open_store(settings).draft() as draft:
        load_source(draft, site.open(settings))
    return open_store(settings).current()


GIVING_STUDIES = [kind for kind in SITES if studies in kind.expected.first]


@pytest.mark.parametrize("site", GIVING_STUDIES, ids=lambda kind: kind.__name__, indirect=True)
@pytest.mark.parametrize("birth", ["year", "age", "none"])
def test_no_more_of_a_birth_date_is_kept_than_is_wanted(site: Site, birth: str, settings: Settings) -> None:
    warehouse = loaded(site, settings, birth)
    found = warehouse.read(sa.select(studies).order_by(studies.c.study_date, studies.c.study_at,
                                                       studies.c.study_instance_uid))
    assert len(found) == 3 and found.birth_date_key.notna().all(), "two systems can still be compared"
    assert found.birth_date_key.nunique() == 3
    if birth == "year":
        assert sorted(found.patient_birth_year) == [1943, 1956, 1969]
        assert years_in(warehouse) != []
    else:
        assert found.patient_birth_year.isna().all()
        assert years_in(warehouse) == []
    ages = [] if birth == "none" else list(AGES.values())
    if birth != "year":
        assert found.patient_age_years.dropna().tolist() == ages


@pytest.mark.parametrize(("birth", "kept"), [("year", [82.0, 0.0082]), ("age", [82.0, 0.0]), ("none", [])])
def test_an_age_that_the_device_wrote_is_a_part_of_the_birth_date_too(
        birth: str, kept: list[float], tmp_path: Path, settings: Settings) -> None:
    class Aged(Folder):
        def __init__(self, folder: Path) -> None:
            super().__init__(folder)
            self.path(1).unlink()
            self.path(0, 2).unlink()
            self.save(dicom_dataset(0, PatientAge="082Y"), self.path(0))
            self.save(dicom_dataset(2, PatientAge="003D"), self.path(2))

    warehouse = loaded(Aged(tmp_path / "site"), settings, birth)
    for table in (studies, instances):
        ages = warehouse.read(sa.select(table.c.patient_age_years).order_by(table.c.study_instance_uid))
        assert ages.patient_age_years.dropna().tolist() == pytest.approx(kept, abs=1e-4)


YEAR_TOML = """
source_id = "archive"
kind = "index_export"
[tables.studies]
file = "studies.csv"
[tables.studies.columns]
study_instance_uid = "STUDY_UID"
patient_birth_year = "BORN"
patient_age_years = "AGE"
study_date = "DAY"
[tables.orders]
file = "studies.csv"
[tables.orders.columns]
accession_number = "STUDY_UID"
patient_birth_year = "BORN"
"""


@pytest.mark.parametrize(("birth", "years", "ages"), [
    ("year", [1943], [83.4]), ("age", [], [83.0]), ("none", [], [])])
def test_a_year_or_an_age_that_an_export_gives_is_kept_no_more_than_a_date(
        birth: str, years: list[int], ages: list[float], tmp_path: Path, settings: Settings) -> None:
    class Years(Site):
        def __init__(self, folder: Path) -> None:
            super().__init__(folder)
            (folder / "studies.csv").write_text("STUDY_UID,BORN,AGE,DAY\n1.2.0,1943,83.4,2026-07-01\n")
            (folder / "source.toml").write_text(YEAR_TOML)
            self.spec = str(folder / "source.toml")

    warehouse = loaded(Years(tmp_path / "site"), settings, birth)
    for table in (studies, orders):
        found = warehouse.read(sa.select(table.c.patient_birth_year)).patient_birth_year
        assert found.dropna().tolist() == years
    assert warehouse.read(sa.select(studies.c.patient_age_years)).patient_age_years.dropna().tolist() == ages


def test_the_day_of_an_exam_is_the_sites_own(tmp_path: Path, settings: Settings) -> None:
    class AfterMidnight(Export):
        def __init__(self, folder: Path) -> None:
            super().__init__(folder)
            self.rows[0] |= {"DOB": "19430702", "WHEN": "2026-07-02 00:30:00"}  # 23:30 UTC on the day before
            self.write()

    warehouse = loaded(AfterMidnight(tmp_path / "site"), settings, "age")
    assert warehouse.scalar(sa.select(studies.c.patient_age_years).where(
        studies.c.study_instance_uid == "1.2.0")) == 83.0


@pytest.mark.parametrize(("born", "on", "age"), [
    (date(1943, 2, 17), date(2026, 2, 16), 82), (date(1943, 2, 17), date(2026, 2, 17), 83),
    (date(2000, 2, 29), date(2026, 2, 28), 25), (date(2000, 2, 29), date(2026, 3, 1), 26),
    (date(2026, 7, 1), date(2026, 7, 1), 0), (date(2026, 7, 2), date(2026, 7, 1), None),
])
def test_an_age_is_in_completed_years(born: date, on: date, age: int | None) -> None:
    assert completed_years(born, on) == age


@given(st.lists(st.tuples(st.dates(), st.dates()), min_size=1))
def test_ages_of_a_column_are_the_ages_of_each(pairs: list[tuple[date, date]]) -> None:
    born, on = (pa.array(column, pa.date32()) for column in zip(*pairs, strict=True))
    assert identities.completed_years(born, on).to_pylist() == [completed_years(*pair) for pair in pairs]


@pytest.mark.parametrize("kind", [Export, Folder, OrthancIndex], ids=lambda kind: kind.__name__)
def test_checks_that_need_the_year_do_not_apply_without_it(
        kind: type[Site], tmp_path: Path, settings: Settings) -> None:
    outcomes = {}
    for birth in ("year", "age"):
        own = settings.model_copy(update={"birth_date": birth, "home": tmp_path / birth})
        refresh(open_store(own), own, [kind(tmp_path / f"site-{birth}").open(own)])
        summary = check_summary(open_store(own).current(), Filters()).set_index("check_id")
        outcomes[birth] = {check: (summary.outcome[check], int(summary.denominator[check]))
                           for check in ("TMP302", "TMP308")}
        assert years_in(open_store(own).current()) == [] or birth == "year"
    assert outcomes["year"]["TMP302"] == ("passed", 3)
    assert outcomes["age"] == {"TMP302": ("not applicable", 0), "TMP308": ("not applicable", 0)}


def test_what_earlier_loads_kept_goes_with_the_next_one(store: Store, settings: Settings) -> None:
    row = {"patient_birth_year": 1943}
    with store.draft() as draft:
        put(draft, {studies: [{**row, "study_instance_uid": "1", "patient_key": "p", "patient_age_years": 83.4}],
                    instances: [{**row, "sop_instance_uid": "1", "path": "a", "patient_age_years": 0.5}],
                    orders: [{**row, "accession_number": "A"}]})
    left = {"age": ([83.0], [0.0]), "none": ([], [])}
    for birth, (of_study, of_image) in left.items():
        with store.draft() as draft:
            forget_births(draft, birth)
        warehouse = store.current()
        assert years_in(warehouse) == []
        for table, ages in ((studies, of_study), (instances, of_image)):
            assert warehouse.read(sa.select(table.c.patient_age_years)).patient_age_years.dropna().tolist() == ages


def test_no_birth_date_is_anywhere(tmp_path: Path, settings: Settings) -> None:
    for birth in ("year", "age", "none"):
        held = every_text(loaded(Folder(tmp_path / birth), settings.model_copy(
            update={"home": tmp_path / "home" / birth}), birth))
        assert [secret for secret in (*SECRETS, *BORN) if secret in held] == []
