"""From what a user names (a source file, a folder, a database's URL) to the source that reads it."""

from __future__ import annotations

import re
from concurrent.futures import Executor
from pathlib import Path

from analytics.core.errors import PacsmeterError
from analytics.core.pseudonym import Pseudonymizer
from analytics.core.settings import Settings
from analytics.sources.base import Source
from analytics.sources.dicom_folder import DicomFolder
from analytics.sources.index_export import IndexExport
from analytics.sources.orthanc import open_orthanc
from analytics.sources.source_file import read_source_file


def _named_after(location: str) -> str:
    """Make a source's permanent name from where it is."""
    return re.sub(r"[^a-z0-9]+", "-", location.lower()).strip("-") or "source"


def open_source(spec: str | Path, settings: Settings, *, source_id: str = "", site: str | None = None,
                zone: str = "", is_demo: bool = False, executor: Executor | None = None) -> Source:
    """Open the source that a user names.

    Parameters
    ----------
    spec : str or Path
        A source file (``.toml``); a folder or file of DICOM; ``orthanc+sqlite:///path/index``;
        ``orthanc+postgresql://user@host/database``.
    settings : Settings
        The site's zone and pseudonym key.
    source_id : str
        Permanent name of the source; made from its place where not given. A source file says its own.
    site : str, optional
        Which site the studies belong to, for a folder and for Orthanc, which do not say.
    zone : str
        IANA zone of times without an offset; the site's where not given. A source file says its own.
    is_demo : bool
        Whether the rows are invented.
    executor : concurrent.futures.Executor, optional
        Where DICOM files are read; in this process where not given.

    Raises
    ------
    PacsmeterError
        There is nothing of that name, or it is none of these.
    """
    named, pseudonymizer = str(spec), Pseudonymizer.from_file(settings.pseudonym_key_file)
    zone = zone or settings.site_zone
    if named.startswith("orthanc+"):
        return open_orthanc(named, pseudonymizer, zone, source_id=source_id, site=site, is_demo=is_demo)
    path = Path(spec)
    if "://" in named:
        raise PacsmeterError("This kind of URL is not a source", "Use orthanc+sqlite:///path/index or "
                             "orthanc+postgresql://user@host/database.", named.split("://")[0])
    if not path.exists():
        raise PacsmeterError("There is nothing there", "Name a source file (.toml) or a folder of DICOM files.", named)
    if path.suffix.lower() == ".toml":
        if site:
            raise PacsmeterError("A source file says itself which site its studies belong to",
                                 f"Leave --site out, and write site = \"{site}\" under [tables.studies.constants].",
                                 named)
        return IndexExport(read_source_file(path), pseudonymizer, zone)
    if path.name.lower().endswith((".csv", ".csv.gz", ".parquet")):
        raise PacsmeterError("An export needs a source file that names its columns",
                             "ARCHITECTURE.md, \"A source file\", shows one.", named)
    return DicomFolder(source_id or _named_after(path.resolve().name), path, pseudonymizer, zone, site=site,
                       is_demo=is_demo, executor=executor)
