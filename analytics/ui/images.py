"""Pictures of images beside what was measured on them or found about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa
import streamlit as st

from analytics.core.errors import PacsmeterError
from analytics.core.quantity import format_quantity
from analytics.imaging.measures import MEASURES
from analytics.ui import cache
from analytics.ui.empty import empty_state
from analytics.ui.shell import Page
from analytics.ui.tables import show_table
from analytics.warehouse.schema import sources
from analytics.warehouse.store import Warehouse

SHOWN = 12


def locations(warehouse: Warehouse) -> dict[str, str]:
    """Return where each source of files is."""
    rows = warehouse.arrow(sa.select(sources.c.source_id, sources.c.location)).to_pylist()
    return {row["source_id"]: row["location"] for row in rows}


def picture_of(page: Page, source_id: str, path: Any, side: int = 320) -> bytes | None:
    """Return a picture of an image, ``None`` where its file is not within reach of this machine."""
    root = page.read(locations).get(source_id)
    if not root or not isinstance(path, str):
        return None
    file = Path(root) / path if Path(root).is_dir() else Path(root)
    return cache.picture(str(file), file.stat().st_mtime_ns, side) if file.is_file() else None


def show_picture(page: Page, source_id: str, path: Any, caption: str) -> None:
    """Show a picture of an image, or why there is none."""
    try:
        drawn = picture_of(page, source_id, path)
    except PacsmeterError as error:
        st.caption(f"{caption}: {error.what}.")
        return
    if drawn is None:
        st.caption(f"{caption}: the file is not within reach of this machine.")
    else:
        st.image(drawn, caption=caption, width="stretch")


def show_images(page: Page, images: pd.DataFrame, measures: pd.DataFrame) -> None:
    """Show the images of a study with their measures; say so where the source gives no files."""
    files = images[images.has_pixel_data.fillna(False).astype(bool) & images.path.notna()] if len(images) else images
    if files.empty:
        empty_state("no_image", "No image file is within reach",
                    "This study is known from an index. Load the folder or archive that holds its files to see and "
                    "measure them.")
        return
    for start in range(0, min(len(files), SHOWN), 4):
        for column, image in zip(st.columns(4), files.iloc[start:min(start + 4, SHOWN)].itertuples(), strict=False):
            with column:
                number = "" if pd.isna(image.instance_number) else f"image {image.instance_number} · "
                show_picture(page, image.source_id, image.path, f"{number}{image.modality or ''}")
    measured = measures.dropna(subset=["value"])
    if len(measured):
        with st.expander(f"{len(measured):,} measures of these images"):
            show_table(page, said(measured), "Measures of this study")


def said(measures: pd.DataFrame) -> pd.DataFrame:
    """Return measures with their names and values in words."""
    names = {measure.id: measure.name for measure in MEASURES}
    return pd.DataFrame({
        "measure": [names.get(item, item) for item in measures.measure],
        "value": [format_quantity(float(value), unit) for value, unit in
                  zip(measures.value, measures.unit.fillna("1"), strict=True)],
        "algorithm": measures.algorithm.to_list(), "sop_instance_uid": measures.sop_instance_uid.to_list()})
