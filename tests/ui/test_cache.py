"""What pages share: a snapshot is the one that was asked for, whatever was published since."""

from __future__ import annotations

from pathlib import Path

import pytest

from analytics.ui import cache
from analytics.warehouse.schema import studies
from tests.support import build


def test_a_page_reads_the_snapshot_it_looked_up_though_another_was_published(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACSMETER_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    cache.clear()
    first = build(cache.store(), {studies: [{"study_instance_uid": "1", "patient_key": ""}]})
    build(cache.store(), {studies: [{"study_instance_uid": "2", "patient_key": ""}]})
    assert cache._snapshot(first.revision).revision == first.revision
    assert cache._snapshot(first.revision).count(studies) == 1
    cache.clear()
