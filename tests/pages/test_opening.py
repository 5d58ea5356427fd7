"""What pages ask when they open is asked once, when the snapshot is published."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from analytics.core.settings import Settings
from analytics.opening import keep_answers
from analytics.ui import cache
from analytics.ui.navigation import BY_TITLE
from analytics.warehouse.answers import answers
from analytics.warehouse.engine import DuckSession
from analytics.warehouse.store import open_store
from tests.pages.conftest import opener
from tests.support import copy_home

LARGE = ("FROM exams", "JOIN exams", "FROM studies", "JOIN studies", "FROM series", "FROM events", "JOIN events",
         "FROM orders", "FROM check_counts")
Opened = Callable[..., AppTest]


@pytest.fixture(scope="module")
def answered_home(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small demo hospital, in a snapshot that keeps answers as a large one does."""
    home = copy_home(demo_home, tmp_path_factory.mktemp("answered") / "home")
    settings = Settings(home=home, _env_file=None)  # type: ignore[call-arg]
    with open_store(settings).draft("answered") as draft:
        keep_answers(draft, settings, answered_from=0)
    return home


@pytest.fixture
def answered_app(answered_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    cache.clear()
    yield opener(answered_home, monkeypatch)
    cache.clear()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The text of each select that the tables have to answer."""
    texts: list[str] = []
    arrow = DuckSession.arrow

    def noted(self: DuckSession, select: Any) -> pa.Table:
        texts.append(self.text(select))
        return arrow(self, select)

    monkeypatch.setattr(DuckSession, "arrow", noted)
    return texts


@pytest.mark.parametrize("title", BY_TITLE)
def test_a_page_opens_without_a_look_at_a_large_table(title: str, answered_app: Opened, run: list[str]) -> None:
    page = answered_app(BY_TITLE[title].file)
    assert not page.exception
    looked = [text for text in run if any(table in text for table in LARGE)]
    assert not looked, f"{len(looked)} reads of {title} are not in analytics/opening.py, such as: {looked[0][:600]}"


def test_a_filter_is_answered_by_the_tables(answered_app: Opened, run: list[str]) -> None:
    page = answered_app("pages/volume.py", modalities=["CT"])
    assert not page.exception
    assert any("FROM exams" in text for text in run)


def test_a_page_says_the_same_with_kept_answers_as_without(
        answered_app: Opened, app: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = _figures(answered_app("pages/volume.py"))
    monkeypatch.setattr("analytics.warehouse.reading.Warehouse._kept", lambda *_: None)
    cache.clear()
    assert _figures(answered_app("pages/volume.py")) == kept


def _figures(page: AppTest) -> list[str]:
    return [chart.proto.spec for chart in page.get("plotly_chart")]


def test_a_question_that_fails_stops_no_load_and_is_written_down(
        demo_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError

    home = copy_home(demo_home, tmp_path / "home")
    settings = Settings(home=home, _env_file=None)  # type: ignore[call-arg]
    monkeypatch.setattr("analytics.opening.questions", lambda _: iter([broken]))
    with open_store(settings).draft("broken") as draft:
        keep_answers(draft, settings, answered_from=0)
    assert open_store(settings).current_revision() == 2
    assert "ZeroDivisionError" in (home / "log" / "errors.log").read_text()


def test_a_small_warehouse_keeps_none(demo_home: Path) -> None:
    assert open_store(Settings(home=demo_home, _env_file=None)).current().count(answers) == 0  # type: ignore[call-arg]
