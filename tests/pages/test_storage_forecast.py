"""The page Storage names the forecast's best model with its error, and compares all models."""

from __future__ import annotations

import json
import re

from tests.pages.conftest import Opened
from tests.pages.test_pages import said


def test_storage_names_the_best_model_with_its_error_and_compares_all(app: Opened):
    page = app("pages/storage.py")

    assert not page.exception and not page.error
    sentence = re.search(r"Best of (\d) models in the back-test: ([a-z ]+)\. From each .+? off by ([\d.]+) % of the "
                         r"bytes that came; its 80 % interval held (\d+) %", said(page))
    assert sentence
    drawn = [trace for chart in page.get("plotly_chart") for trace in json.loads(chart.proto.spec)["data"]]
    held = next(trace for trace in drawn if trace.get("name") == "Held by the 80 % interval")
    assert held["y"][0] == sentence[2] and len(held["y"]) == int(sentence[1]) + 1, "and the forecast itself"
    shown = re.search(r"80 % interval held: ([\d.]+) %<br>.+Error: ([\d.]+) %", held["hovertext"][0])
    assert shown and abs(float(shown[1]) - int(sentence[4])) <= 0.5 and shown[2] == sentence[3]
