"""What drove a change, asked of a warehouse: sums are exact, marks lead to their studies, and the words say it."""

from __future__ import annotations

import re

import pytest

from analytics.core.errors import PacsmeterError
from analytics.core.filters import Filters
from analytics.core.settings import Settings, load_settings
from analytics.metrics.catalog import compute
from analytics.metrics.change_words import bytes_that_sum, days_sentence, drivers_sentence, growth_sentence
from analytics.metrics.decomposition import nested
from analytics.metrics.drill import count_behind
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Store, Warehouse
from tests.metrics.random_exams import random_exams
from tests.spec import storage_growth, volume_change
from tests.spec.case import day, exam
from tests.support import build

EVERYTHING = Filters()
DRIVERS = ("volume.drivers", "storage.growth", "volume.change_by_days")


@pytest.fixture
def random_warehouse(store: Store) -> Warehouse:
    return build(store, {exams: random_exams(3)})


@pytest.fixture
def by_hand(duck_store: Store) -> Warehouse:
    return build(duck_store, volume_change.TABLES)


MONTH = Filters(date_from=day("2026-01-05"), date_to=day("2026-02-03"))


@pytest.mark.parametrize("against", ["before", "year"])
def test_drivers_sum_to_the_change_that_the_modalities_sum_to(random_warehouse, against):
    split = compute("volume.drivers", random_warehouse, MONTH, against=against)
    whole = compute("volume.change", random_warehouse, MONTH, against=against)

    assert split.headline == whole.headline == split.frame.change.sum() != 0
    assert (split.n, split.left_out) == (whole.n, whole.left_out)
    modalities = split.frame.groupby("modality", dropna=False).change.sum().to_dict()
    assert {str(name): change for name, change in modalities.items()} == {
        str(name): change for name, change in zip(whole.frame.modality, whole.frame.change, strict=True)}


@pytest.mark.parametrize("metric_id", ["storage.growth", "volume.change_by_days"])
def test_effects_sum_to_the_change_of_each_row(random_warehouse, metric_id):
    frame = compute(metric_id, random_warehouse, MONTH, against="before").frame

    effects = [name for name in frame.columns if name.startswith("from_")]
    assert (frame[effects].sum(axis=1) == frame.change).all() and len(effects) >= 2 and frame.change.any()


@pytest.mark.parametrize("metric_id", DRIVERS)
def test_a_mark_leads_to_the_studies_of_both_windows(random_warehouse, metric_id):
    result = compute(metric_id, random_warehouse, MONTH, against="before")
    this, before = (f"studies_{name}" if metric_id == "storage.growth" else name for name in ("this", "before"))

    for row in result.frame.to_dict("records"):
        mark = {name: row[name] for name in result.dimensions}
        for window, column in (("this", this), ("before", before)):
            assert count_behind(random_warehouse, result, {**mark, "window": window}) == row[column]


def test_growth_leaves_out_just_the_studies_of_its_windows(random_warehouse):
    result = compute("storage.growth", random_warehouse, MONTH, against="before")
    rows = random_warehouse.count(result.rows)
    in_windows = Filters(date_from=day("2025-12-06"), date_to=day("2026-02-03"))
    added = compute("storage.by_modality", random_warehouse, in_windows)

    assert sum(item.n for item in result.left_out) + rows == added.n + sum(item.n for item in added.left_out)


def test_the_words_name_new_and_gone_devices(by_hand):
    said = compute("volume.drivers", by_hand, volume_change.WEEK).notes[0]

    assert said == ("+3 studies: North +6 (CT +5 [CT2 is new, +5; CT1 -1; CT3 +1], MR +1), "
                    "South -3 (MR -3 [MR1 is gone, -2; MR2 -1]). 2026-03-02 to 2026-03-08 against 2025-03-03 to "
                    "2025-03-09.")


def test_the_words_sum_at_every_level_where_not_all_can_be_named():
    changes = iter(range(-40, 90))
    leaves = {(site, modality, device): (next(changes), "") for site in "ABCDE" for modality in ("CT", "MR", "DX", "US")
              for device in ("1", "2", "3", "4", None)}
    said = drivers_sentence(nested(leaves))
    whole, sites = said.removesuffix(".").split(" studies: ")

    assert "2 other sites" in said and "2 other modalities" in said and "3 other devices" in said
    outer = re.sub(r" \([^()]*\)", "", sites)
    assert sum(int(number) for number in re.findall(r"[+-]\d+", outer)) == int(whole) == sum(
        change for change, _ in leaves.values())
    for site, inside in re.findall(r"([+-]\d+) \(([^()]*)\)", sites):
        modalities = re.sub(r" \[[^]]*\]", "", inside)
        assert sum(int(number) for number in re.findall(r"[+-]\d+", modalities)) == int(site)
        for modality, devices in re.findall(r"([+-]\d+) \[([^]]*)\]", inside):
            assert sum(int(number) for number in re.findall(r"[+-]\d+", devices)) == int(modality)


def test_a_new_device_is_named_however_small_its_change():
    leaves = {("A", modality, "1"): (number, "") for number, modality in enumerate(["CT", "MR", "DX", "US"], start=50)}
    said = drivers_sentence(nested({**leaves, ("A", "XA", "9"): (1, "new")}))

    assert "XA +1 [9 is new, +1]" in said and "2 other modalities" in said


def test_a_new_and_a_gone_device_are_named_where_they_cancel_out():
    said = drivers_sentence(nested({("A", "CT", "1"): (-5, "gone"), ("A", "CT", "2"): (5, "new"),
                                    ("A", "MR", "3"): (0, "")}))

    assert said == "As many studies as before: A 0 (CT 0 [1 is gone, -5; 2 is new, +5])."


def test_exams_without_a_device_are_neither_new_nor_gone(duck_store):
    warehouse = build(duck_store, {exams: [
        exam(1, "2025-03-03 10:00", modality="CT"), exam(2, "2026-03-03 10:00", modality="MR"),
        exam(3, "2026-03-10 10:00", modality="US")]})
    frame = compute("volume.drivers", warehouse, volume_change.WEEK).frame

    assert sorted(frame.modality) == ["CT", "MR"] and set(frame.state) == {""}


def test_no_change_and_no_study_are_said_apart():
    assert drivers_sentence(nested({("A", "CT", "1"): (0, "")})) == "As many studies as before."
    assert drivers_sentence(nested({})) == "No study in either window."


def test_growth_is_said_in_one_unit_and_sums_as_printed():
    # Each 0.04 TB short of a tenth: rounded apart they are 0.3 + 0.3 + 0.3 = 0.9 TB of 1.0 TB
    third = 333_000_000_000
    said = growth_sentence([("studies", third), ("mix", third + 1), ("size", third)], 3 * third + 1)
    assert said == "Bytes added changed by +999.0 GB: studies +333.0 GB, mix +333.0 GB, size +333.0 GB."

    assert bytes_that_sum([third, third + 1, third + 10**9], 3 * third + 10**9 + 1) == [
        "+0.3 TB", "+0.3 TB", "+0.4 TB", "+1.0 TB"]
    assert bytes_that_sum([5, -5], 0) == ["+5 B", "-5 B", "0 B"]
    assert bytes_that_sum([10**9, -12 * 10**6], 10**9 - 12 * 10**6) == ["+1.0 GB", "0.0 GB", "+1.0 GB"]


def test_the_growth_by_hand_is_said(duck_store):
    result = compute("storage.growth", build(duck_store, storage_growth.TABLES), storage_growth.WEEK)

    # 1492, 1041, 3834 and 3833 bytes of 10200, in tenths of a kilobyte: 15 + 10 + 38 + 38 = 101 of 102
    assert result.notes[0].startswith("Bytes added changed by +10.2 kB: number of studies +1.5 kB, another mix of "
                                      "modalities +1.0 kB, images per study +3.9 kB, size of an image +3.8 kB. ")


def test_public_holidays_of_the_country_are_no_working_days(duck_store, monkeypatch):
    # Of the two weeks, Good Friday 2025 is 18 April (in the earlier week), in 2026 it is 3 April
    week = Filters(date_from=day("2026-04-13"), date_to=day("2026-04-19"))
    rows = [exam(1, "2025-04-17 10:00"), exam(2, "2025-04-18 10:00"), exam(3, "2026-04-16 10:00"),
            exam(4, "2026-04-17 10:00"), exam(5, "2026-04-21 10:00")]
    warehouse = build(duck_store, {exams: rows})

    unknown = compute("volume.change_by_days", warehouse, week)
    assert unknown.frame[["days_before", "days_this", "before", "this"]].values.tolist() == [[5, 5, 2, 2], [2, 2, 0, 0]]
    assert "PACSMETER_HOLIDAYS" in unknown.notes[0]

    monkeypatch.setenv("PACSMETER_HOLIDAYS", "GB-ENG")
    known = compute("volume.change_by_days", warehouse, week)
    assert known.frame[["days_before", "days_this", "before", "this"]].values.tolist() == [[4, 5, 1, 2], [3, 2, 1, 0]]
    # Working days: (5 - 4) x (1/4 + 2/5) / 2 = 0.325 and (2/5 - 1/4) x 4.5 = 0.675 of +1: 0 and 1.
    # The others: (2 - 3) x (1/3 + 0/2) / 2 = -1/6 and (0 - 1/3) x 2.5 = -5/6 of -1: 0 and -1.
    assert known.frame[["from_days", "from_rate"]].values.tolist() == [[0, 1], [0, -1]]
    assert "5 working days against 4" in known.notes[0] and "PACSMETER_HOLIDAYS" not in known.notes[0]


@pytest.mark.parametrize("country", ["ZZ", "GB-XX", "England"])
def test_a_country_without_known_holidays_is_refused(country, monkeypatch):
    monkeypatch.setenv("PACSMETER_HOLIDAYS", country)

    with pytest.raises(PacsmeterError, match="GB-ENG"):
        load_settings()


def test_a_country_or_its_part_is_taken():
    assert Settings(holidays="US", _env_file=None).holidays == "US"  # type: ignore[call-arg]


def test_the_calendar_is_said_to_have_no_part_only_where_it_has_none():
    assert days_sentence(0, 9, 65, 65) == "+9 studies, none of it from the calendar: 65 working days against 65."
    assert days_sentence(-3, 4, 62, 63) == (
        "+1 study: -3 from the calendar (62 working days against 63), +4 from the studies a day.")


@pytest.mark.parametrize("metric_id", DRIVERS)
def test_a_period_longer_than_a_year_is_compared_with_the_days_before_it(by_hand, metric_id):
    long = Filters(date_from=day("2025-03-03"), date_to=day("2026-03-08"))

    assert "2025-03-03 to 2026-03-08 against 2024-02-26 to 2025-03-02." in compute(metric_id, by_hand, long).notes[0]
    with pytest.raises(PacsmeterError, match="overlap"):
        compute(metric_id, by_hand, long, against="year")


@pytest.mark.parametrize("metric_id", DRIVERS)
def test_a_period_of_which_no_day_is_over_is_empty_and_no_error(by_hand, metric_id):
    found = compute(metric_id, by_hand, Filters(date_from=day("2031-01-01")))
    assert found.n == 0 and "no day of the period chosen is over" in found.notes[0]


@pytest.mark.parametrize(("metric_id", "tables", "filters"), [
    ("volume.drivers", volume_change.TABLES, Filters(date_from=day("2024-06-03"), date_to=day("2024-06-09"))),
    ("storage.growth", storage_growth.TABLES, Filters(date_from=day("2025-03-03"), date_to=day("2025-03-09")))])
def test_an_earlier_window_from_before_the_index_begins_is_said(duck_store, metric_id, tables, filters):
    warehouse = build(duck_store, tables)
    said = compute(metric_id, warehouse, filters).notes[0]
    covered = compute(metric_id, warehouse, volume_change.WEEK).notes[0]

    assert "where the index begins there, the change is not growth" in said
    assert "is not growth" not in covered
