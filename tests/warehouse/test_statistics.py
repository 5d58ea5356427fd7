"""What PostgreSQL's planner knows of a draft."""

from __future__ import annotations

import sqlalchemy as sa

from analytics.core.settings import Settings
from analytics.warehouse.schema import studies
from analytics.warehouse.store import open_store
from tests.support import put


def test_a_draft_that_is_analyzed_tells_the_planner_how_many_rows_there_are(
        settings: Settings, postgres_url: str) -> None:
    url = type(settings.warehouse_url)(postgres_url)
    rows = [{"study_instance_uid": str(n), "patient_key": "p"} for n in range(500)]
    engine = sa.create_engine(postgres_url)
    known = sa.text("SELECT reltuples FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace "
                    "WHERE relname = 'studies' AND nspname LIKE 'pacsmeter_draft_%'")
    with open_store(settings.model_copy(update={"warehouse_url": url})).draft() as draft:
        put(draft, {studies: rows})
        with engine.connect() as connection:
            before = connection.scalar(known)
        draft.analyze()
        with engine.connect() as connection:
            assert (before, connection.scalar(known)) == (-1, 500)
    engine.dispose()
