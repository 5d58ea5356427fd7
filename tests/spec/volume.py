"""Volume, by hand.

    no  exam                weekday  site   modality  device  series  images  bytes
    1   2026-01-05 09:10    Mon      North  CT        CT1     2       200     100
    2   2026-01-05 09:50    Mon      North  CT        CT1     3       300     150
    3   2026-01-12 14:00    Mon      South  MR        MR1     5       500     80
    4   2026-02-02 09:00    Mon      North  CT        CT1     1       100     not known
    5   2026-02-03 23:59    Tue      South  DX        none    1       2       20
    6   2026-02-10 08:00    Tue      an order without images: not a study
    7   no date             left out
    8   1899-12-30          left out: before 1980
    9   2099-01-01          left out: after the snapshot's last moment

The archive last received something on 2026-02-20 12:00: that is when the snapshot is true.
"""

from __future__ import annotations

from analytics.core.filters import Filters
from analytics.warehouse.schema import exams
from tests.spec.case import Case, Tables, day, exam

NORTH = {"site": "North", "modality": "CT", "station_name": "CT1"}
SOUTH = {"site": "South", "modality": "MR", "station_name": "MR1"}


def sizes(series: int, images: int, size: int | None) -> dict[str, int | None]:
    return {"number_of_series": series, "number_of_instances": images, "size_bytes": size}


TABLES: Tables = {exams: [
    exam(1, "2026-01-05 09:10", **NORTH, **sizes(2, 200, 100)),
    exam(2, "2026-01-05 09:50", **NORTH, **sizes(3, 300, 150)),
    exam(3, "2026-01-12 14:00", **SOUTH, **sizes(5, 500, 80)),
    exam(4, "2026-02-02 09:00", **NORTH, **sizes(1, 100, None), stored_at="2026-02-20 12:00"),
    exam(5, "2026-02-03 23:59", site="South", modality="DX", **sizes(1, 2, 20)),
    exam(6, "2026-02-10 08:00", study=False, site="South", modality="MR"),
    exam(7, None, **NORTH),
    exam(8, "1899-12-30 00:00", **NORTH),
    exam(9, "2099-01-01 00:00", **SOUTH),
]}
LEFT_OUT = {"study without a date": 1, "dated before 1980": 1, "dated after the last thing this snapshot knows of": 1}

CASES = [
    Case("volume.studies_by_period", [
        # January: 2 + 3 + 5 = 10 series, 200 + 300 + 500 = 1,000 images, 100 + 150 + 80 = 330 bytes
        {"period": day("2026-01-01"), "studies": 3, "series": 10, "images": 1000, "bytes": 330, "size_unknown": 0,
         "whole": True},
        # February: 1 + 1 = 2 series, 100 + 2 = 102 images, 20 bytes and one unknown; it lasts past 20 February
        {"period": day("2026-02-01"), "studies": 2, "series": 2, "images": 102, "bytes": 20, "size_unknown": 1,
         "whole": False},
    ], headline=5, n=5, left_out=LEFT_OUT),
    Case("volume.studies_by_period", [
        # ISO weeks begin on Monday: 5 and 12 January, 2 February (Monday 2nd and Tuesday 3rd)
        {"period": day("2026-01-05"), "site": "North", "studies": 2},
        {"period": day("2026-01-12"), "site": "South", "studies": 1},
        {"period": day("2026-02-02"), "site": "North", "studies": 1},
        {"period": day("2026-02-02"), "site": "South", "studies": 1},
    ], headline=5, left_out=LEFT_OUT, options={"period": "week", "by": "site"}),
    Case("volume.studies_by_period", [
        # Filtered from 10 January: January is cut, and dates outside the filter are filtered, not left out
        {"period": day("2026-01-01"), "studies": 1, "whole": False},
        {"period": day("2026-02-01"), "studies": 2, "whole": False},
    ], headline=3, left_out={"study without a date": 1},
        filters=Filters(date_from=day("2026-01-10"), date_to=day("2026-02-15"))),
    Case("volume.studies_by_period", [
        # Of CT (3), DX (1) and MR (1) none is folded: two groups would be one, and one other is no fewer
        {"period": day("2026-01-01"), "modality": "CT", "studies": 2},
        {"period": day("2026-01-01"), "modality": "MR", "studies": 1},
        {"period": day("2026-02-01"), "modality": "CT", "studies": 1},
        {"period": day("2026-02-01"), "modality": "DX", "studies": 1},
    ], headline=5, left_out=LEFT_OUT, options={"by": "modality", "top": 2}),
    Case("volume.studies_by_period", [
        # CT has the most; DX and MR are the others: 500 images in January, 2 in February
        {"period": day("2026-01-01"), "modality": "CT", "studies": 2, "images": 500},
        {"period": day("2026-01-01"), "modality": "others", "studies": 1, "images": 500},
        {"period": day("2026-02-01"), "modality": "CT", "studies": 1, "images": 100},
        {"period": day("2026-02-01"), "modality": "others", "studies": 1, "images": 2},
    ], headline=5, left_out=LEFT_OUT, options={"by": "modality", "top": 1}),
    Case("volume.studies_by_period", [
        # CT1 has the most; MR1 and the study without a device are the others
        {"period": day("2026-01-01"), "station_name": "CT1", "studies": 5 - 2},
        {"period": day("2026-01-01"), "station_name": "others", "studies": 2},
    ], headline=5, left_out=LEFT_OUT, options={"period": "year", "by": "station_name", "top": 1}),
    Case("volume.studies_by_period", [
        # 09:10, 09:50 and 09:00 are in one part of the day, 14:00 in another, 23:59 in the last
        {"period": day("2026-01-01"), "hours": "09:00-11:59", "studies": 3},
        {"period": day("2026-01-01"), "hours": "12:00-14:59", "studies": 1},
        {"period": day("2026-01-01"), "hours": "21:00-23:59", "studies": 1},
    ], headline=5, left_out=LEFT_OUT, options={"period": "year", "by": "hours", "top": 8}),
    Case("volume.studies_by_period", [
        {"period": day("2026-01-01"), "exam_weekday": 1, "studies": 4},
        {"period": day("2026-01-01"), "exam_weekday": 2, "studies": 1},
    ], headline=5, left_out=LEFT_OUT, options={"period": "year", "by": "exam_weekday", "top": 8}),
    Case("volume.by_modality", [
        {"modality": "CT", "studies": 3, "series": 6, "images": 600, "bytes": 250},
        {"modality": "MR", "studies": 1, "series": 5, "images": 500, "bytes": 80},
        {"modality": "DX", "studies": 1, "series": 1, "images": 2, "bytes": 20},
    ], headline=5, left_out=LEFT_OUT),
    Case("volume.by_site", [
        {"site": "North", "studies": 3, "bytes": 250}, {"site": "South", "studies": 2, "bytes": 100},
    ], headline=5, left_out=LEFT_OUT),
    Case("volume.by_device", [
        {"site": "North", "station_name": "CT1", "modality": "CT", "studies": 3},
        {"site": "South", "station_name": "MR1", "modality": "MR", "studies": 1},
        {"site": "South", "station_name": None, "modality": "DX", "studies": 1},
    ], headline=5, left_out=LEFT_OUT),
    Case("volume.hour_by_weekday", [
        # 2026-01-05 to 2026-02-03 is 30 days: five Mondays (5, 12, 19, 26 Jan, 2 Feb), five Tuesdays
        # (6, 13, 20, 27 Jan, 3 Feb). Monday 9 h: studies 1, 2 and 4, mean 3 / 5 = 0.6.
        {"exam_weekday": 1, "exam_hour": 9, "studies": 3, "mean": 0.6},
        {"exam_weekday": 1, "exam_hour": 14, "studies": 1, "mean": 0.2},
        {"exam_weekday": 2, "exam_hour": 23, "studies": 1, "mean": 0.2},
        *({"exam_weekday": weekday, "exam_hour": hour, "studies": 0, "mean": 0.0}
          for weekday in range(1, 8) for hour in range(24) if (weekday, hour) not in ((1, 9), (1, 14), (2, 23))),
    ], headline=5, left_out=LEFT_OUT),
    Case("volume.change", [
        # 16 Jan to 14 Feb is 30 days; the 30 before are 17 Dec to 15 Jan, which hold studies 1, 2 and 3.
        # CT 1 - 2 = -1, MR 0 - 1 = -1, DX 1 - 0 = +1; in all 2 - 3 = -1; contributions of 3 before: -33.3 % each.
        {"modality": "CT", "this": 1, "before": 2, "change": -1, "contribution": -100 / 3},
        {"modality": "MR", "this": 0, "before": 1, "change": -1, "contribution": -100 / 3},
        {"modality": "DX", "this": 1, "before": 0, "change": 1, "contribution": 100 / 3},
    ], headline=-1, n=2, left_out={"study without a date": 1},
        filters=Filters(date_from=day("2026-01-16"), date_to=day("2026-02-14"))),
]
