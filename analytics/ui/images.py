"""Pictures of images beside what was measured on them or found about them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from analytics.core.errors import PacsmeterError
from analytics.imaging.quality import image_detail, locate
from analytics.ui import cache
from analytics.ui.choices import choose
from analytics.ui.empty import empty_state
from analytics.ui.shell import Page
from analytics.ui.tables import show_table

SHOWN = 12
HIDDEN = "Show the picture (it may carry a name in its pixels)"
_TOLD = ("name", "shown", "lower", "center", "upper", "out_of_limits", "direction", "message", "algorithm")


def show_picture(page: Page, sop_instance_uid: str, caption: str = "", side: int = 512) -> None:
    """Show a picture of an image, or why there is none; one that may carry a name waits until it is asked for."""
    try:
        file: Path = page.read(locate, sop_instance_uid, page.settings.pseudonym_key_file)
        if not file.is_file():
            raise PacsmeterError("The file is not there any more", "Load the folder again.", file.name)
        state = (str(file), file.stat().st_mtime_ns)
        if cache.picture_may_carry_name(*state) and not _asked_for(page, sop_instance_uid, caption, side):
            return
        drawn = cache.picture(*state, side)
    except PacsmeterError as error:
        st.caption(f"{caption} {error.what}.".strip())
    else:
        st.image(drawn, caption=caption or None, width="stretch")


def _asked_for(page: Page, sop_instance_uid: str, caption: str, side: int) -> bool:
    """Offer a picture that is hidden behind a button; whether it has been asked for in this session."""
    kept = f"picture-asked-{sop_instance_uid}"

    def ask() -> None:
        st.session_state[kept] = True

    if not st.session_state.get(kept):
        if caption:
            st.caption(caption)
        st.button(HIDDEN, key=f"show-{side}-{sop_instance_uid}{page.side}", on_click=ask,
                  icon=":material/visibility_off:")
    return bool(st.session_state.get(kept))


def show_image(page: Page, sop_instance_uid: str) -> None:
    """Show one image beside everything that was measured on it, with its device's limits."""
    picture, told = (st.container(), st.container()) if page.side else st.columns([2, 3], gap="medium")
    with picture:
        show_picture(page, sop_instance_uid)
    with told:
        detail = page.read(image_detail, sop_instance_uid)
        if detail.empty:
            st.caption("Nothing was measured on this image.")
        else:
            show_table(page, detail[list(_TOLD)], "Measures of this image", key=sop_instance_uid, units={
                "lower": "1", "center": "1", "upper": "1"},
                labels={"name": "Measure", "shown": "Value", "lower": "Lower limit", "upper": "Upper limit",
                        "direction": "Better", "message": "Why there is no value"})


def show_images(page: Page, images: pd.DataFrame) -> None:
    """Show the images of a study, and one of them beside its measures."""
    if images.empty:
        empty_state("no_image", "No image file is within reach",
                    "This study is known from an index. Load the folder or archive that holds its files to see and "
                    "measure them.")
        return
    first = images.head(SHOWN)
    for start in range(0, len(first), 4):
        for column, image in zip(st.columns(4), first.iloc[start:start + 4].itertuples(), strict=False):
            with column:
                number = "" if pd.isna(image.instance_number) else f"Image {image.instance_number} · "
                show_picture(page, image.sop_instance_uid, f"{number}{image.modality or ''}", 320)
    if len(images) > SHOWN:
        st.caption(f"{SHOWN} of {len(images):,} images.")
    chosen = choose("One image and its measures", {"": "None chosen", **{uid: uid for uid in images.sop_instance_uid}},
                    key="image", many=True)
    if chosen:
        show_image(page, chosen)
