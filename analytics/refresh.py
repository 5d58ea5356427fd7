"""One whole refresh: load the sources, derive the exams, measure the images, run the checks, publish once.

Findings and measures are published with the facts they are about, so every page of one snapshot agrees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analytics.checks.runner import run_checks
from analytics.core.findings import CheckRun
from analytics.core.progress import Progress, silent
from analytics.core.pseudonym import Pseudonymizer
from analytics.core.settings import Settings
from analytics.demo.hospital import generate
from analytics.demo.truth import Truth
from analytics.imaging.measure import measure_images
from analytics.opening import keep_answers
from analytics.sources.base import Source
from analytics.sources.load import LoadRecord, load_source
from analytics.sources.open import open_source
from analytics.warehouse.births import forget_births
from analytics.warehouse.derive import derive_exams
from analytics.warehouse.key_check import confirm_key
from analytics.warehouse.store import Store


@dataclass(frozen=True)
class RefreshReport:
    """What a refresh did: each load, the images measured, each check's run, the snapshot published."""

    loads: tuple[LoadRecord, ...]
    images_measured: int
    checks: tuple[CheckRun, ...]
    revision: int


def refresh(store: Store, settings: Settings, sources: Sequence[Source] = (), *, note: str = "",
            progress: Progress = silent) -> RefreshReport:
    """Build and publish the next snapshot.

    Parameters
    ----------
    store : Store
    settings : Settings
    sources : sequence of Source
        What to load; none means: measure and check again what is there.
    note : str
        What the snapshot's record says.
    progress : Progress

    Raises
    ------
    PacsmeterError
        A source could not be read, or the pseudonym key is not the warehouse's. The last snapshot is as
        it was; what was finished is gone on from next time.
    """
    key_check = Pseudonymizer.from_file(settings.pseudonym_key_file).key_check
    with store.draft(note) as draft:
        confirm_key(draft, key_check)
        draft.analyze()  # a fresh copy's tables are merged blindly without it
        loads = tuple(load_source(draft, source, progress=progress) for source in sources)
        forget_births(draft, settings.birth_date)
        progress("joining studies and orders", 0, None)
        draft.analyze()
        derive_exams(draft, settings.site_zone)
        measured = measure_images(draft, settings=settings, progress=progress)
        checks = tuple(run_checks(draft, progress=progress))
        keep_answers(draft, settings, progress=progress)
        revision = draft.revision
    return RefreshReport(loads, measured, checks, revision)


def demo_sources(settings: Settings, *, scale: float | None = None, progress: Progress = silent) -> list[Source]:
    """Open the sources of the demo hospital, making it first where it is not there yet in the size asked for.

    It comes in as a site's own would: an index export, a RIS export, a scanner's log and folders of images.
    """
    folder = settings.home / "demo"
    truth, names = folder / "truth.json", ("archive.toml", "ris.toml", "scanner-log.toml")
    made = Truth.read(truth).scale if truth.exists() else None
    wanted = scale if scale is not None else made or 1.0
    if made != wanted or not all((folder / name).exists() for name in names):  # an older demo lacks one
        generate(folder, scale=wanted, progress=progress)
    exports = [open_source(folder / name, settings) for name in names]
    images = [open_source(folder / name, settings, source_id=source_id, is_demo=True)
              for name, source_id in (("images", "demo-qa-images"), ("real-images", "pydicom-samples"))]
    return [*exports, *images]
