"""The page Volume says how studies changed in words, and offers every split."""

from __future__ import annotations

import base64
import json
import re

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Opened
from tests.pages.test_pages import said


def test_volume_says_the_latest_month_against_the_year_before(app: Opened):
    page = app("pages/volume.py")

    assert not page.exception and not page.error
    assert re.search(r"\w{3} \d{4}: [\d,]+ studies, [+-][\d.]+ % against \w{3} \d{4} \([\d,]+\); per working day",
                     said(page))
    assert re.search(r"1 series looked at, \d with a change", said(page))


@pytest.mark.parametrize("by", ["modality", "site", "site modality", "device"])
def test_volume_looks_at_the_series_chosen(app: Opened, by: str):
    page = app("pages/volume.py", **{"volume-changes": by})

    assert not page.exception and not page.error
    assert re.search(r"\d+ series looked at, \d+ with a change", said(page))


def _heights(page: AppTest) -> list[float]:
    """The sum of each trace of the first chart."""
    traces = json.loads(page.get("plotly_chart")[0].proto.spec)["data"]
    return [float(sum(trace["y"]) if isinstance(trace["y"], list) else
                  np.frombuffer(base64.b64decode(trace["y"]["bdata"]), dtype=trace["y"]["dtype"]).sum())
            for trace in traces]


@pytest.mark.parametrize("by", ["station_name", "description", "hours", "exam_weekday"])
def test_volume_splits_by_anything_and_keeps_its_sum(app: Opened, by: str):
    page = app("pages/volume.py", **{"volume-by": by})

    assert not page.exception and not page.error
    assert 1 < len(_heights(page)) <= 9
    assert sum(_heights(page)) == sum(_heights(app("pages/volume.py", **{"volume-by": "site"})))
