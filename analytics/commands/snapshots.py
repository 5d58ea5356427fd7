"""``pacsmeter warehouse``: the snapshots that are kept, and going back one."""

from __future__ import annotations

import pandas as pd
import typer

from analytics.core.settings import load_settings
from analytics.terminal import out, print_table
from analytics.warehouse.store import open_store

warehouse_app = typer.Typer(no_args_is_help=True, help="The snapshots that are kept, and going back one.")


@warehouse_app.command("list")
def warehouse_list() -> None:
    """List the snapshots that are kept, newest first.

    Example: pacsmeter warehouse list
    """
    store = open_store(load_settings())
    now = store.current_revision()
    print_table(pd.DataFrame([{
        "snapshot": item.revision, "published": f"{item.published_at:%Y-%m-%d %H:%M} UTC", "note": item.note,
        "state": "read now" if item.revision == now else "rolled back" if item.rolled_back else "kept",
    } for item in store.snapshots()], columns=["snapshot", "published", "note", "state"]))


@warehouse_app.command("rollback")
def warehouse_rollback() -> None:
    """Go back one snapshot; readers see it at once, and nothing is deleted.

    Example: pacsmeter warehouse rollback
    """
    out.print(f"Readers see snapshot {open_store(load_settings()).rollback()} now.", highlight=False)
