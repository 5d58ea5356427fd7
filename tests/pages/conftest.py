"""Pages run on a small demo hospital, loaded once; and on an installation where nothing is loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from analytics.ui import cache
from tests.demo_home import load_small_demo
from tests.support import ROOT

Opened = Callable[..., AppTest]


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return load_small_demo(tmp_path_factory.mktemp("demo") / "home").home


def opener(home: Path, monkeypatch: pytest.MonkeyPatch) -> Opened:
    monkeypatch.setenv("PACSMETER_HOME", str(home))
    monkeypatch.chdir(home)

    def opened(page: str = "app.py", **query: str | list[str]) -> AppTest:
        test = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        for name, value in query.items():
            test.query_params[name] = value
        if page != "app.py":
            test.switch_page(page)
        return test.run()

    return opened


@pytest.fixture
def app(demo_home: Path, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Give what opens a page of the small demo hospital; what is known of its snapshot stays known."""
    opened = opener(demo_home, monkeypatch)
    if cache.settings().home != demo_home:
        cache.clear()
    return opened


@pytest.fixture
def empty_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    """Give what opens a page of an installation where nothing is loaded."""
    cache.clear()
    yield opener(tmp_path, monkeypatch)
    cache.clear()
