"""Finding out what kind of source a user names, and opening it."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from pydantic import SecretStr

from analytics.core.errors import PacsmeterError
from analytics.core.pseudonym import Pseudonymizer
from analytics.core.settings import Settings
from analytics.sources.base import KINDS, Source
from analytics.sources.dicom_folder import DicomFolder
from analytics.sources.index_export import IndexExport
from analytics.sources.patient import PatientEdge
from analytics.sources.server_file import FoundByFile, read_server_file
from analytics.sources.source_file import read_source_file
from analytics.sources.toml_file import TomlFile, known_zone


@dataclass(frozen=True)
class Options:
    """What a user may say of a source besides where it is.

    Attributes
    ----------
    edge : turns identities into pseudonyms.
    source_id : permanent name; a kind's own where empty.
    site : which site the studies belong to, where the source does not say.
    zone : IANA zone of times without an offset.
    since : first study date that a crawl asks for; the archive's first where not given.
    series : whether a crawl asks for the series of each study, which takes a question a study.
    executor : where DICOM files are read.
    password : what the ``password_file`` of a source file holds; `analytics.core.secrets` has it go into a request.
    """

    edge: PatientEdge
    zone: str
    source_id: str = ""
    site: str | None = None
    is_demo: bool = False
    since: date | None = None
    series: bool = True
    executor: Executor | None = None
    password: SecretStr | None = None


SCHEMES: dict[str, str] = {
    "orthanc+sqlite": "orthanc:open_orthanc",
    "orthanc+postgresql": "orthanc:open_orthanc",
    "orthanc+http": "orthanc_rest:open_orthanc_rest",
    "orthanc+https": "orthanc_rest:open_orthanc_rest",
    "dcm4chee+postgresql": "dcm4chee:open_dcm4chee",
    "dicomweb+http": "dicomweb:open_dicomweb",
    "dicomweb+https": "dicomweb:open_dicomweb",
    "cfind": "cfind:open_cfind",
    "hl7": "hl7_messages:open_hl7",
    "fhir": "fhir_resources:open_fhir",
    "sole": "sole_reports:open_sole",
}
"""What a URL begins with, to the module under `analytics.sources` and the function that opens it."""

EXAMPLES = (
    "orthanc+sqlite:///path/index", "orthanc+postgresql://user@host/database", "orthanc+http://user@host:8042",
    "dcm4chee+postgresql://user@host/database", "dicomweb+https://host/dicom-web", "cfind://CALLING@host:104/CALLED",
    "hl7:///folder", "fhir:///folder", "sole:///folder")


def named_after(text: str) -> str:
    """Make a source's permanent name from the name of its place."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-").lower()[:64] or "source"


def open_source(spec: str | Path, settings: Settings, *, source_id: str = "", site: str | None = None, zone: str = "",
                is_demo: bool = False, since: date | None = None, series: bool = True,
                executor: Executor | None = None) -> Source:
    """Open the source that a user names.

    Parameters
    ----------
    spec : str or Path
        A source file (``.toml``); a folder or file of DICOM; or a URL of `SCHEMES`.
    settings : Settings
        The site's zone and pseudonym key.
    source_id : str
        Permanent name of the source; made from its place where not given. A source file says its own.
    site : str, optional
        Which site the studies belong to, for a source that does not say.
    zone : str
        IANA zone of times without an offset; the site's where not given. A source file's own stands before it.
    is_demo : bool
        Whether the rows are invented.
    since : date, optional
        First study date that a crawl asks for; stands before a source file's own.
    series : bool
        Whether a crawl asks for the series of each study; what is known of them stays where it does not.
    executor : concurrent.futures.Executor, optional
        Where DICOM files are read; in this process where not given.

    Raises
    ------
    PacsmeterError
        There is nothing of that name, or it is none of these; or ``since`` is said of a source that is read whole.
    """
    named = str(spec)
    try:
        known_zone(zone or settings.site_zone)
    except ValueError as error:
        raise PacsmeterError(str(error), "Name one that the IANA has.", "--zone") from None
    edge = PatientEdge(Pseudonymizer.from_file(settings.pseudonym_key_file), settings.birth_date)
    options = Options(edge, zone or settings.site_zone, source_id, site, is_demo, since, series, executor)
    source = _opened(named, options)
    if since and not KINDS[source.kind].in_parts:
        raise PacsmeterError(f"A source of kind {source.kind} is always read whole", "Leave --since out.",
                             source.location)
    return source


def _opened(named: str, options: Options) -> Source:
    scheme, colon, _ = named.partition(":")
    scheme = scheme.lower()
    if colon and scheme in SCHEMES:
        return _opener(scheme)(named, options)
    if "://" in named or (colon and scheme.partition("+")[0] in {known.partition("+")[0] for known in SCHEMES}):
        raise PacsmeterError("This kind of URL is not a source", f"Use one of: {'; '.join(EXAMPLES)}.", scheme)
    return _on_disk(Path(named), named, options)


def _opener(scheme: str) -> Callable[[str, Options], Source]:
    """Import a kind of source when it is asked for: a site that has no such server needs none of its libraries."""
    module, _, function = SCHEMES[scheme].partition(":")
    opener: Callable[[str, Options], Source] = getattr(
        importlib.import_module(f"analytics.sources.{module}"), function)
    return opener


def _on_disk(path: Path, named: str, options: Options) -> Source:
    if not path.exists():
        raise PacsmeterError("There is nothing there", "Name a source file (.toml), a folder of DICOM files, or a URL.",
                             named)
    if path.suffix.lower() == ".toml":
        return _from_source_file(TomlFile(path), options)
    if path.name.lower().endswith((".csv", ".csv.gz", ".parquet", ".xlsx", ".xls", ".ods")):
        raise PacsmeterError("An export needs a source file that names its columns",
                             "ARCHITECTURE.md, \"A source file\", shows one.", named)
    return _folder(path, options)


def _folder(path: Path, options: Options) -> Source:
    return DicomFolder(options.source_id or named_after(path.resolve().name), path, options.edge, options.zone,
                       site=options.site, is_demo=options.is_demo, executor=options.executor)


def _from_source_file(file: TomlFile, options: Options) -> Source:
    is_server = "url" in file.names()
    if options.site:
        raise PacsmeterError(
            "A source file says itself which site its studies belong to", f"Leave --site out, and write "
            f"site = \"{options.site}\" {'into it' if is_server else 'under [tables.studies.constants]'}.",
            str(file.path))
    if not is_server:
        return IndexExport(read_source_file(file.path), options.edge, options.zone)
    server = read_server_file(file)
    options = replace(
        options, source_id=server.source_id, site=server.site, zone=server.zone or options.zone,
        is_demo=server.is_demo, since=options.since or server.since,
        series=options.series and server.series, password=server.password)
    try:
        if server.kind == "dicom_folder":
            return _folder(Path(server.url), options)
        return FoundByFile(_opened(server.url, options), server.path)
    except PacsmeterError as error:
        raise PacsmeterError(error.what, error.remedy, "; ".join(filter(None, (error.record, server.written_at)))
                             ) from None
