"""What drove a change of the bytes added, by hand.

The snapshot is true at 2026-03-11 12:00. The window is Monday 2 to Sunday 8 March 2026, the earlier one the same
weekdays 52 weeks before, Monday 3 to Sunday 9 March 2025; days are those of reception.

    modality  window  studies  images  bytes    images a study  bytes an image
    CT        before  2        20      2000     10              100
    CT        this    3        60      12000    20              200
    DX        before  2        4       40       2               10
    DX        this    2        4       40       2               10
    XA        before  1        5       500      gone
    PT        this    1        7       700      new

CT, +10000 bytes, by Shapley value (each factor's change x the mean of what the others are over the six orders):
    studies         (3 - 2)     x [(10 x 100 + 20 x 200) / 3 + (10 x 200 + 20 x 100) / 6] = 5000/3 + 4000/6 = 2333 1/3
    images a study  (20 - 10)   x [( 2 x 100 +  3 x 200) / 3 + ( 2 x 200 +  3 x 100) / 6]
                              = 10 x (800/3 + 700/6) = 10 x 383 1/3 = 3833 1/3
    bytes an image  (200 - 100) x [( 2 x 10  +  3 x 20 ) / 3 + ( 2 x 20  +  3 x 10 ) / 6]
                              = 100 x (80/3 + 70/6) = 100 x 38 1/3 = 3833 1/3
    2333 1/3 + 3833 1/3 + 3833 1/3 = 10000.
Shares are of the modalities that both windows have: CT and DX, 4 studies before and 5 now.
    CT was 2/4 and is 3/5: of its one study more, all studies brought (5 - 4) x (1/2 + 3/5) / 2 = 11/20, and its share
    (3/5 - 1/2) x (4 + 5) / 2 = 9/20. At 2333 1/3 bytes a study: studies 1283 1/3, mix 1050.
    Rounded: 1283, 1050, 3833, 3833, which is 1 short of 10000: into the largest, the first of the two equals, images.
DX, 0 bytes: was 2/4 and is 2/5. Studies (5 - 4) x (1/2 + 2/5) / 2 = 9/20, share (2/5 - 1/2) x 4.5 = -9/20 of a study,
    of 2 x 10 = 20 bytes each: +9 and -9.
XA is gone: -500, all studies. PT is new: +700, all studies.
In all: studies 1283 + 9 - 500 + 700 = 1492, mix 1050 - 9 = 1041, images 3834, image size 3833; sum 10200.
Before 2000 + 40 + 500 = 2540, now 12000 + 40 + 700 = 12740: +10200.

Left out: one study of the window without a size, one without a number of images and one with 0 images; one of neither
counts as without a size. A study without a size between the windows is none of these.
"""

from __future__ import annotations

from analytics.core.filters import Filters
from analytics.warehouse.schema import exams
from tests.spec.case import Case, Tables, day, exam


def received(number: int, when: str, modality: str, images: int | None, size: int | None) -> dict[str, object]:
    """A study that the archive received a while after its exam: the day it was received counts."""
    return exam(number, "2025-02-01 10:00", site="North", modality=modality, number_of_instances=images,
                size_bytes=size, stored_at=f"{when} 12:00")


TABLES: Tables = {exams: [
    received(1, "2025-03-03", "CT", 5, 600), received(2, "2025-03-09", "CT", 15, 1400),
    received(3, "2025-03-05", "DX", 2, 20), received(4, "2025-03-05", "DX", 2, 20),
    received(5, "2025-03-06", "XA", 5, 500),
    received(6, "2026-03-02", "CT", 20, 4000), received(7, "2026-03-05", "CT", 10, 1000),
    received(8, "2026-03-08", "CT", 30, 7000),
    received(9, "2026-03-04", "DX", 1, 10), received(10, "2026-03-04", "DX", 3, 30),
    received(11, "2026-03-07", "PT", 7, 700),
    received(12, "2026-03-03", "CT", 10, None), received(13, "2026-03-03", "CT", None, 999),
    received(14, "2025-03-03", "CT", 0, 999), received(15, "2025-03-03", "CT", None, None),
    received(16, "2025-09-01", "CT", 10, None), received(17, "2026-03-01", "CT", 10, 5555),
    received(18, "2026-03-09", "CT", 10, 5555), received(19, "2026-03-11", "CT", 10, 5555),
]}
WEEK = Filters(date_from=day("2026-03-02"), date_to=day("2026-03-08"))

CASES = [
    Case("storage.growth", [
        {"modality": "CT", "bytes_before": 2000, "bytes_this": 12000, "change": 10000, "from_studies": 1283,
         "from_mix": 1050, "from_images": 3834, "from_image_size": 3833, "studies_before": 2, "studies_this": 3,
         "images_before": 20, "images_this": 60},
        {"modality": "DX", "bytes_before": 40, "bytes_this": 40, "change": 0, "from_studies": 9, "from_mix": -9,
         "from_images": 0, "from_image_size": 0, "studies_before": 2, "studies_this": 2, "images_before": 4,
         "images_this": 4},
        {"modality": "XA", "bytes_before": 500, "bytes_this": 0, "change": -500, "from_studies": -500, "from_mix": 0,
         "from_images": 0, "from_image_size": 0, "studies_before": 1, "studies_this": 0, "images_before": 5,
         "images_this": 0},
        {"modality": "PT", "bytes_before": 0, "bytes_this": 700, "change": 700, "from_studies": 700, "from_mix": 0,
         "from_images": 0, "from_image_size": 0, "studies_before": 0, "studies_this": 1, "images_before": 0,
         "images_this": 7},
    ], headline=10200, n=6, left_out={"size not known": 2, "number of images not known": 2}, filters=WEEK),
]
