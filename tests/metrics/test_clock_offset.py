"""The clock offset of a device compares two clocks: never the device's with itself, and whoever the patient is now."""

from __future__ import annotations

import datetime as dt

from analytics.core.filters import Filters
from analytics.metrics.catalog import compute
from analytics.warehouse.schema import events, patient_merges, studies
from analytics.warehouse.store import Store
from tests.support import build

START = dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC)
AHEAD = START + dt.timedelta(minutes=12)


def test_a_device_is_not_compared_with_itself_and_a_merged_patient_is_not_lost(store: Store) -> None:
    numbers = [f"A{n}" for n in range(4)]
    warehouse = build(store, {
        studies: [{"study_instance_uid": f"1.{n}", "patient_key": "a", "accession_number": number, "study_at": AHEAD,
                   "station_name": "CT1"} for n, number in enumerate(numbers)],
        patient_merges: [{"merged_key": "a", "surviving_key": "b"}],
        events: [{"accession_number": number, "event": "ProcedureStart", "event_at": START} for number in numbers] + [
            {"accession_number": "A3", "event": "ProcedureStart", "event_at": AHEAD, "origin": "MPPS (0040,0244)"}]})
    result = compute("sources.clock_offset", warehouse, Filters(), fewest=1)
    assert result.frame[["offset", "exams"]].to_dict("records") == [{"offset": 12.0, "exams": 3}]
    assert {item.reason: item.n for item in result.left_out} == {"start reported by the device itself": 1}
