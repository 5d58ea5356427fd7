"""An Orthanc by REST: what is asked again, what cannot be seen in its list of changes, and servers with faults."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.settings import Settings
from analytics.sources import orthanc_http, orthanc_studies
from analytics.sources.load import LoadRecord, load_source
from analytics.sources.open import open_source
from analytics.sources.orthanc_studies import Studies, packed_id, public_id
from analytics.warehouse.merge import Counts
from analytics.warehouse.schema import series, studies
from analytics.warehouse.store import Store
from tests.sources.site_orthanc_rest import OrthancServerSite
from tests.sources.sites import IDS

STUDY_QUESTIONS = ("/studies/", "/series/", "/tools/lookup")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OrthancServerSite]:
    monkeypatch.setattr(orthanc_http, "PAUSES", (0.0, 0.0))
    site = OrthancServerSite(tmp_path / "site")
    yield site
    site.close()


def load(store: Store, at: OrthancServerSite, settings: Settings, **options: Any) -> LoadRecord:
    at.orthanc.asked.clear()
    with store.draft() as draft:
        return load_source(draft, open_source(at.spec, settings, **options))


def about_studies(site: OrthancServerSite) -> list[str]:
    """Return the questions of the last load that were about single studies."""
    return [asked for asked in site.orthanc.asked if any(kind in asked for kind in STUDY_QUESTIONS)]


def images(store: Store) -> dict[str, int]:
    rows = store.current().arrow(sa.select(studies.c.study_instance_uid, studies.c.number_of_instances)).to_pylist()
    return {row["study_instance_uid"]: row["number_of_instances"] for row in rows}


def test_nothing_is_asked_of_studies_that_did_not_change(
        site: OrthancServerSite, duck_store: Store, settings: Settings) -> None:
    load(duck_store, site, settings)
    assert about_studies(site)
    again = load(duck_store, site, settings)
    assert about_studies(site) == []
    assert len(site.orthanc.asked) < 15
    assert again.by_table == {"studies": Counts(unchanged=3), "series": Counts(unchanged=3)}


@pytest.mark.parametrize(("kind", "of"), [
    ("UpdatedMetadata", "studies"), ("ModifiedStudy", "studies"), ("UpdatedAttachment", "series"),
    ("NewInstance", "instances"), ("UpdatedMetadata", "patients")])
def test_a_change_at_any_level_asks_for_its_study_alone(
        site: OrthancServerSite, duck_store: Store, settings: Settings, kind: str, of: str) -> None:
    load(duck_store, site, settings)
    (one,) = site.orthanc._at(site.study(1), of)
    site.orthanc.log(kind, one)
    site.orthanc.resources[site.study(1)].tags["StudyDescription"] = "NECK"
    assert load(duck_store, site, settings).by_table["studies"] == Counts(changed=1, unchanged=2)
    asked = "\n".join(about_studies(site))
    assert site.study(1) in asked
    assert site.study(0) not in asked
    assert site.study(2) not in asked


@pytest.mark.parametrize("kind", ["StableStudy", "StablePatient", "StableSeries"])
def test_that_a_study_is_stable_is_no_news(
        site: OrthancServerSite, duck_store: Store, settings: Settings, kind: str) -> None:
    load(duck_store, site, settings)
    site.orthanc.log(kind, site.study(1))
    load(duck_store, site, settings)
    assert about_studies(site) == []


def test_an_image_deleted_inside_a_study_is_found_though_no_change_tells_it(
        site: OrthancServerSite, duck_store: Store, settings: Settings) -> None:
    site.add(2, 2)
    load(duck_store, site, settings)
    site.orthanc.delete(site.orthanc._at(site.study(2), "instances")[0])
    site.add(0, 2)
    record = load(duck_store, site, settings)
    assert images(duck_store) == {"1.2.0": 2, "1.2.1": 1, "1.2.2": 1}
    assert "1 studies lost or gained series or images" in record.message


def test_what_comes_while_the_first_load_reads_is_in_the_next(
        site: OrthancServerSite, duck_store: Store, settings: Settings) -> None:
    def arrive() -> None:
        site.orthanc.before.clear()
        site.add(0, 2)
        site.add(7 % 3, 3)

    site.orthanc.before["GET /studies$"] = arrive
    load(duck_store, site, settings)
    site.orthanc.before[f"GET /studies/{site.study(2)}"] = arrive
    site.orthanc.log("UpdatedMetadata", site.study(2))
    load(duck_store, site, settings)
    load(duck_store, site, settings)
    assert images(duck_store) == {"1.2.0": 2, "1.2.1": 2, "1.2.2": 1}


def test_a_study_that_goes_between_listing_and_asking_is_simply_gone(
        site: OrthancServerSite, duck_store: Store, settings: Settings) -> None:
    gone = site.study(1)

    def go() -> None:
        site.orthanc.before.clear()
        site.orthanc.delete(gone)

    site.orthanc.before["POST /tools/lookup"] = go
    record = load(duck_store, site, settings)
    assert sorted(images(duck_store)) == ["1.2.0", "1.2.2"]
    assert record.left_out == 0


def test_a_study_that_goes_while_several_are_described_takes_no_other_with_it(
        site: OrthancServerSite, duck_store: Store, settings: Settings) -> None:
    for number in range(3, 9):
        site.orthanc.add({"PatientID": "P"}, {"StudyInstanceUID": f"1.2.{number}"}, {"SeriesInstanceUID": "1"}, "1.1")
    site.orthanc.going.add(site.study(1))
    site.orthanc.before["GET /studies$"] = lambda: site.orthanc.more_totals.update(
        {"CountStudies": -1, "CountSeries": -1, "CountInstances": -1})
    record = load(duck_store, site, settings)
    assert sorted(images(duck_store)) == [f"1.2.{number}" for number in (0, 2, 3, 4, 5, 6, 7, 8)]
    assert record.left_out == 0


@pytest.mark.parametrize("reset", ["emptied", "backwards", "another"])
def test_a_list_of_changes_that_cannot_be_relied_on_means_a_whole_crawl_and_a_note(
        site: OrthancServerSite, duck_store: Store, settings: Settings, reset: str) -> None:
    load(duck_store, site, settings)
    site.orthanc.resources[site.study(1)].tags["StudyDescription"] = "NECK"
    if reset == "backwards":
        site.orthanc.last = 2
        del site.orthanc.changes[2:]
    elif reset == "emptied":
        site.orthanc.changes.clear()
        site.orthanc.log("UpdatedMetadata", site.study(0))
    else:
        for change in site.orthanc.changes:
            change["Date"] = "20260801T000000"
    record = load(duck_store, site, settings)
    assert record.by_table["studies"] == Counts(changed=1, unchanged=2)
    assert "whole crawl, since Orthanc is not as the last load left it: its " in record.message
    load(duck_store, site, settings)
    assert about_studies(site) == [], "and then it is incremental again"


def test_an_emptied_list_without_a_later_change_is_no_reason(
        site: OrthancServerSite, duck_store: Store, settings: Settings) -> None:
    load(duck_store, site, settings)
    site.orthanc.changes.clear()
    load(duck_store, site, settings)
    assert about_studies(site) == []


def test_other_options_mean_a_whole_crawl(site: OrthancServerSite, duck_store: Store, settings: Settings) -> None:
    load(duck_store, site, settings)
    assert load(duck_store, site, settings, site="South").by_table["studies"] == Counts(changed=3)


def test_patients_whose_ids_differ_in_blanks_are_added_up_and_stay_right(
        site: OrthancServerSite, duck_store: Store, settings: Settings) -> None:
    site.add(1, 2, f"{IDS[1]} ", size=50)
    record = load(duck_store, site, settings)
    both = sa.select(studies.c.number_of_instances, studies.c.size_bytes, studies.c.number_of_series).where(
        studies.c.study_instance_uid == "1.2.1")
    assert duck_store.current().arrow(both).to_pylist() == [
        {"number_of_instances": 2, "size_bytes": 150, "number_of_series": 1}]
    assert duck_store.current().count(series) == 3
    assert "1 studies more in Orthanc's own count" in record.message
    assert load(duck_store, site, settings).by_table["studies"] == Counts(unchanged=3)
    site.orthanc.delete(site.study(1))
    load(duck_store, site, settings)
    assert duck_store.current().arrow(both).to_pylist() == [
        {"number_of_instances": 1, "size_bytes": 50, "number_of_series": 1}]


def test_one_uid_under_two_patients_is_two_studies(
        site: OrthancServerSite, duck_store: Store, settings: Settings) -> None:
    site.add(1, 2, "OTHER")
    site.add(1, 3, "OTHER")
    load(duck_store, site, settings)
    assert duck_store.current().count(studies) == 4
    assert duck_store.current().count(series) == 3, "a series that two patients share has one row"
    again = load(duck_store, site, settings)
    assert (again.by_table["studies"], again.message) == (Counts(unchanged=4), "")


def test_an_image_that_two_series_of_a_study_hold_is_counted_once_and_taken_for_no_deletion(
        site: OrthancServerSite, duck_store: Store, settings: Settings) -> None:
    site.orthanc.add(
        {"PatientID": IDS[1]}, {"StudyInstanceUID": "1.2.1"}, {"SeriesInstanceUID": "1.2.1.7"}, "1.2.1.1.1")
    load(duck_store, site, settings)
    assert images(duck_store)["1.2.1"] == 1
    again = load(duck_store, site, settings)
    assert (again.by_table["studies"], again.message) == (Counts(unchanged=3), "")


def test_studies_without_a_uid_are_kept_apart_by_patient(
        site: OrthancServerSite, duck_store: Store, settings: Settings) -> None:
    for patient in ("P1", "P2"):
        site.orthanc.add({"PatientID": patient}, {}, {"SeriesInstanceUID": "1.5"}, f"1.5.{patient}")
    load(duck_store, site, settings)
    assert duck_store.current().count(studies) == 5
    assert load(duck_store, site, settings).by_table == {"studies": Counts(unchanged=5), "series": Counts(unchanged=4)}


def test_since_leaves_out_earlier_studies(site: OrthancServerSite, duck_store: Store, settings: Settings) -> None:
    for _ in range(2):
        record = load(duck_store, site, settings, since=dt.date(2026, 7, 2))
    assert sorted(images(duck_store)) == ["1.2.1", "1.2.2"]
    assert record.message == ""
    assert load(duck_store, site, settings).by_table["studies"] == Counts(added=1, unchanged=2)


def test_totals_that_differ_though_nothing_changed_are_an_error(
        site: OrthancServerSite, duck_store: Store, settings: Settings) -> None:
    site.orthanc.more_totals["CountInstances"] = 1
    with pytest.raises(PacsmeterError, match="3, 3 and 3 could be read, though nothing changed"):
        load(duck_store, site, settings)


def test_totals_that_differ_since_things_changed_are_a_note(
        site: OrthancServerSite, duck_store: Store, settings: Settings) -> None:
    def arrive() -> None:
        site.orthanc.before.clear()
        site.orthanc.add({"PatientID": "NEW"}, {"StudyInstanceUID": "1.9"}, {"SeriesInstanceUID": "1.9.1"}, "1.9.1.1")

    site.orthanc.before[f"GET /studies/{site.study(2)}/series"] = arrive
    assert "1 times Orthanc's totals were others" in load(duck_store, site, settings).message
    assert load(duck_store, site, settings).message == ""
    assert len(images(duck_store)) == 4


def test_attachments_of_studies_are_said(site: OrthancServerSite, duck_store: Store, settings: Settings) -> None:
    site.orthanc.more_totals["TotalDiskSize"] = 77
    assert "77 bytes are attachments of patients or studies" in load(duck_store, site, settings).message


def test_a_load_that_is_cut_goes_on_after_its_last_part(
        site: OrthancServerSite, duck_store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orthanc_studies, "_PER_PART", 0)
    site.add(1, 2, "OTHER")
    site.orthanc.add({"PatientID": "P1"}, {}, {"SeriesInstanceUID": "1.5"}, "1.5.1")
    plain = sorted(site.study(number) for number in (0, 2))
    site.orthanc.faults[plain[1]] = lambda: (0, "", b"")
    with pytest.raises(PacsmeterError, match="Orthanc does not answer"):
        load(duck_store, site, settings)
    site.orthanc.faults.clear()
    record = load(duck_store, site, settings)
    assert any(plain[1] in asked for asked in site.orthanc.asked)
    assert not any(plain[0] in asked for asked in site.orthanc.asked)
    assert record.read == 5
    assert record.by_table == {"studies": Counts(added=5), "series": Counts(added=4)}
    assert record.message == "", "the totals of both halves are right together"
    assert load(duck_store, site, settings).by_table["studies"] == Counts(unchanged=5)


def test_ids_are_held_once_in_order_and_split_alike() -> None:
    ids = [bytes([n % 256, n // 256] + [0] * 18) for n in range(5_000)]
    found = Studies([*ids, *ids[::-1]])
    assert len(found) == 5_000
    assert list(found.of(0, 255)) == sorted(ids)
    assert [one for some in found.chunks(0, 255, 999) for one in some] == sorted(ids)
    found.set_count(ids[7], (2, 30))
    assert (found.count(ids[7]), found.count(ids[8]), found.count(b"\xff" * 20)) == ((2, 30), None, None)
    assert len(list(found.unknown())) == 4_999
    assert found.known_total == (1, 2, 30)
    assert packed_id(public_id(ids[9])) == ids[9]
    assert packed_id("zz") is None
    whole, rest = found.ranges(0), found.ranges(3)
    assert (whole[0][0], whole[-1][1], rest[0][0]) == (0, 255, 3)
    for ranges in (whole, rest):
        assert all(ends + 1 == begins for (_, ends), (begins, _) in itertools.pairwise(ranges))
    assert max(sum(1 for _ in found.of(*one)) for one in whole) <= 2_000
    assert Studies().ranges(0) == [(0, 255)]
    assert found.ranges(256) == []
