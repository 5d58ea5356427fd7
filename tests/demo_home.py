"""A small demo hospital, loaded: what the tests of pages and of the browser look at."""

from __future__ import annotations

import shutil
from pathlib import Path

from analytics.core.settings import Settings
from analytics.refresh import demo_sources, refresh
from analytics.sources.open import open_source
from analytics.warehouse.store import open_store

SCALE = 0.02
"""About 3,000 studies."""
IMAGES = ("NGHMR2", "bad/constant.dcm", "bad/noisy-neck.dcm")
"""Of the demo's images: the scanner that begins to fail, and two of the bad ones."""


def load_small_demo(home: Path, scale: float = SCALE) -> Settings:
    """Make and load a demo hospital with a few of its images; return the settings of its installation."""
    settings = Settings(home=home, _env_file=None)  # type: ignore[call-arg]
    exports = demo_sources(settings, scale=scale)[:2]
    chosen = home / "images"
    for name in IMAGES:
        made = home / "demo" / "images" / name
        if made.is_dir():
            shutil.copytree(made, chosen / name)
        else:
            chosen.mkdir(parents=True, exist_ok=True)
            shutil.copy(made, chosen / made.name)
    images = open_source(chosen, settings, source_id="demo-images", is_demo=True)
    refresh(open_store(settings), settings, [*exports, images], note="small demo")
    return settings
