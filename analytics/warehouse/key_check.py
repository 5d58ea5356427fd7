"""Which pseudonym key a warehouse was made with: with another, every patient would be a new one."""

from __future__ import annotations

import pyarrow as pa
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.warehouse.engine import table_schema
from analytics.warehouse.schema import marks
from analytics.warehouse.store import Draft, Warehouse

_OWNER = "(pacsmeter)"  # no source is called so
_NAME = "key_check"


def confirm_key(warehouse: Warehouse, key_check: str) -> None:
    """Make sure that a warehouse was made with a key.

    Parameters
    ----------
    warehouse : Warehouse
        A draft that does not know its key yet remembers this one.
    key_check : str
        `analytics.core.pseudonym.Pseudonymizer.key_check` of the key in use.

    Raises
    ------
    PacsmeterError
        It was made with another.
    """
    held = warehouse.arrow(sa.select(marks.c.value).where(marks.c.source_id == _OWNER, marks.c.name == _NAME))
    known = held.column(0).to_pylist()
    if known and known != [key_check]:
        raise PacsmeterError(
            "The pseudonym key is not the one that this warehouse was made with, and every patient would be a new one",
            "Put that key back (PACSMETER_KEY_FILE, or pseudonym.key in PACSMETER_HOME). Where it is lost, begin a new "
            "warehouse: set PACSMETER_WAREHOUSE_URL to an empty place, and load everything again.")
    if not known and isinstance(warehouse, Draft):
        row = {"source_id": _OWNER, "name": _NAME, "value": key_check}
        warehouse.append(marks, pa.RecordBatch.from_pylist([row], schema=table_schema(marks)))
