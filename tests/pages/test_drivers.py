"""The pages Volume and Storage say what drove a change, and the figures they say sum."""

from __future__ import annotations

import json
import re

import pytest

from tests.pages.conftest import Opened
from tests.pages.test_pages import said


def test_volume_says_what_drove_its_change(app: Opened):
    page = app("pages/volume.py")

    sentence = re.search(r"([+-][\d,]+) studies: (.+?)\. \d{4}-", said(page))
    assert sentence and not page.exception
    sites = re.findall(r"([+-][\d,]+)", re.sub(r" \([^()]*\)", "", sentence[2]))
    assert sum(int(number.replace(",", "")) for number in sites) == int(sentence[1].replace(",", ""))
    assert re.search(r"from the calendar", said(page))


@pytest.mark.parametrize(("level", "one"), [("site", "Northgate"), ("modality", "DX"),
                                            ("site modality", "Northgate · DX")])
def test_volume_draws_its_drivers_at_the_level_chosen(app: Opened, level: str, one: str):
    page = app("pages/volume.py")
    page.button_group(key="volume-level").set_value(level).run()

    specs = [json.loads(chart.proto.spec)["data"] for chart in page.get("plotly_chart")]
    waterfalls = [[name for bar in data for name in bar["y"]] for data in specs
                  if any("Change in all" in list(bar.get("y", [])) for bar in data)]
    assert not page.exception and not page.error
    assert any(one in names for names in waterfalls)


def test_storage_says_what_drove_the_change_of_bytes(app: Opened):
    page = app("pages/storage.py")

    sentence = re.search(r"Bytes added changed by ([+-][\d.,]+) (\w+): (.+?)\. \d{4}-", said(page))
    assert sentence and not page.exception
    effects = re.findall(rf"([+-]?[\d.,]+) {sentence[2]}", sentence[3])
    assert len(effects) == 4
    assert round(sum(float(number.replace(",", "")) for number in effects), 1) == float(sentence[1].replace(",", ""))
