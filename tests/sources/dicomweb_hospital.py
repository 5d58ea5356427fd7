"""What the tests of DICOMweb share: a server with the studies of a hospital, and a load of it."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from analytics.core.settings import Settings
from analytics.sources import qido_server
from analytics.sources.load import LoadRecord, load_source, open_source
from analytics.warehouse.schema import studies
from analytics.warehouse.store import Store, Warehouse
from tests.sources.qido_server import Qido, dicom_json

CROWDED = date(2026, 3, 3)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qido_server, "PAUSES", (0.0, 0.0))


def hospital(spread: int = 200, crowded: int = 130) -> Qido:
    """Return a server that holds studies over three years, and more than 100 on one day."""
    days = [date(2024, 1, 1) + timedelta(days=n * 7919 % 1000) for n in range(spread)] + [CROWDED] * crowded
    qido = Qido()
    for number, day in enumerate(days):
        add(qido, number, StudyDate=day.strftime("%Y%m%d"), StudyTime=f"{number * 37 % 1440 // 60:02}"
            f"{number * 37 % 60:02}30.5", ModalitiesInStudy=[("CT", "MR", "US")[number % 3]])
    return qido


def add(qido: Qido, number: int, **values: Any) -> None:
    uid = f"1.2.{number}"
    about = {"PatientID": f"P{number % 40}", "PatientName": f"NAME{number % 40}^A", "PatientBirthDate": "19600101",
             "PatientSex": "F", "NumberOfStudyRelatedSeries": 2, "NumberOfStudyRelatedInstances": 5}
    qido.studies.append(dicom_json(StudyInstanceUID=uid, **about | values))
    modality = values.get("ModalitiesInStudy", ["CT"])[0]
    qido.series[uid] = [dicom_json(SeriesInstanceUID=f"{uid}.{n}", Modality=modality, NumberOfSeriesRelatedInstances=n)
                        for n in (2, 3)]


def load(store: Store, qido: Qido, settings: Settings, **options: Any) -> LoadRecord:
    with store.draft() as draft:
        return load_source(draft, open_source(qido.spec, settings, **options))


def uids(warehouse: Warehouse) -> Counter[str]:
    return Counter(warehouse.arrow(sa.select(studies.c.study_instance_uid)).column(0).to_pylist())


def held_by(qido: Qido) -> Counter[str]:
    return Counter(record["0020000D"]["Value"][0] for record in qido.studies)
