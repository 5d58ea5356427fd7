"""A drawing that was written down draws the same figure, and names nothing but figures."""

from __future__ import annotations

import pandas as pd
import pytest

from analytics.core.errors import PacsmeterError
from analytics.core.quantity import STUDIES
from analytics.core.results import MetricResult, MetricSpec
from analytics.reporting import figures
from analytics.reporting.drawings import Drawing, drawing, drawing_of

SPEC = MetricSpec("t.t", "Studies", "Studies in a test, counted by modality.", STUDIES, "neutral", "none")
RESULT = MetricResult(SPEC, pd.DataFrame({"modality": ["CT", "MR"], "studies": [3, 5]}), "studies", ("modality",), 8, 1)


def test_what_is_read_back_draws_the_same():
    made = drawing(figures.ranked, "modality", top=1)
    again = drawing_of(made.to_json())
    assert again == made
    assert again(RESULT) == figures.ranked(RESULT, "modality", top=1) != figures.ranked(RESULT, "modality")


@pytest.mark.parametrize("name", ["figures.dragons", "figures._open_panel", "os.system", "figures.ticks", "figures.pd",
                                  "figures", "figures.bars.__class__"])
def test_a_name_that_is_no_figure_is_refused(name: str):
    with pytest.raises(PacsmeterError, match="does not know"):
        drawing_of(Drawing(name, (), {}).to_json())
