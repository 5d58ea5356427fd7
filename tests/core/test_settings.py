"""Settings come from the environment and say clearly what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from analytics.core.errors import PacsmeterError
from analytics.core.settings import Settings, load_settings
from analytics.ledger.ledger import open_ledger
from analytics.warehouse.store import open_store


def test_the_environment_sets_what_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACSMETER_HOME", "/srv/pacsmeter")
    monkeypatch.setenv("PACSMETER_SITE_ZONE", "America/New_York")
    settings = load_settings()
    assert (settings.home, settings.site_zone) == (Path("/srv/pacsmeter"), "America/New_York")
    assert settings.warehouse == "duckdb:////srv/pacsmeter/warehouse"


@pytest.mark.parametrize(("name", "value"), [("SITE_ZONE", "Mars/Olympus"), ("KEEP_SNAPSHOTS", "1"),
                                            ("MEMORY_LIMIT", "lots")])
def test_a_bad_setting_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"PACSMETER_{name}", value)
    with pytest.raises(PacsmeterError, match=f"PACSMETER_{name}"):
        load_settings()


def test_a_password_is_not_in_what_is_shown_or_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACSMETER_WAREHOUSE_URL", "postgresql+psycopg://me:hunter2@127.0.0.1:1/none")
    settings = load_settings()
    assert "hunter2" not in repr(settings)
    with pytest.raises(PacsmeterError, match="cannot be reached") as caught:
        open_store(settings)
    assert "hunter2" not in str(caught.value)


def test_a_warehouse_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACSMETER_WAREHOUSE_URL", "mysql://localhost/x")
    with pytest.raises(PacsmeterError, match="duckdb:///folder"):
        open_store(load_settings())


@pytest.mark.parametrize("url", [
    "postgresql+psycopg://reader:Hemm@elig1@127.0.0.1/pacs", "postgresql+psycopg://reader:Hemmelig1@127.0.0.1:abc/pacs",
    "nonsense Hemmelig1", "duckdb://a:Hemm@elig1@b"])
@pytest.mark.parametrize(("setting", "opened"), [("PACSMETER_WAREHOUSE_URL", open_store),
                                                 ("PACSMETER_LEDGER_URL", open_ledger)])
def test_a_url_that_cannot_be_read_is_named_by_its_setting_and_never_shown(
        setting: str, opened: Callable[[Settings], object], url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(setting, url)
    with pytest.raises(PacsmeterError, match=setting) as caught:
        opened(load_settings())
    assert "elig1" not in str(caught.value)
