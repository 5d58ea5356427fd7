"""The source file of a server or folder: what a site would have to say at every load, written down once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from pydantic import AfterValidator, Field, SecretStr

from analytics.core.errors import PacsmeterError
from analytics.core.secrets import read_password
from analytics.sources.base import KINDS, Source
from analytics.sources.toml_file import SOURCE_ID, TomlFile, Written, known_zone

BEGINS: dict[str, tuple[str, ...]] = {
    "orthanc": ("orthanc+sqlite", "orthanc+postgresql"),
    "orthanc_rest": ("orthanc+http", "orthanc+https"),
    "dcm4chee": ("dcm4chee+postgresql",),
    "dicomweb": ("dicomweb+http", "dicomweb+https"),
    "cfind": ("cfind",),
    "hl7": ("hl7",),
    "fhir": ("fhir",),
    "sole": ("sole",),
    "dicom_folder": ("file",),
}
"""What the URL of a kind of source begins with; a folder of DICOM may also be named by its path alone."""

_PASSWORD = re.compile(r"://.*:.*@|[?&](password|passwd|pwd|sslpassword|token)=", re.IGNORECASE | re.DOTALL)
"""A password where a URL has one, even one whose signs are not written as a URL needs them."""


class _WrittenServer(Written):
    """The whole file as it is written."""

    source_id: Annotated[str, Field(pattern=SOURCE_ID)]
    kind: Literal["orthanc", "orthanc_rest", "dcm4chee", "dicomweb", "cfind", "hl7", "fhir", "sole", "dicom_folder"]
    url: Annotated[str, Field(min_length=1)]
    site: Annotated[str, Field(min_length=1)] | None = None
    zone: Annotated[str, AfterValidator(known_zone)] | None = None
    since: date | None = None
    series: bool = True
    password_file: Annotated[str, Field(min_length=1)] | None = None
    is_demo: bool = False


@dataclass(frozen=True)
class ServerFile:
    """A source file of a server or folder that has been read and found in order.

    Attributes
    ----------
    url : without a password; the path itself, for a folder of DICOM.
    written_at : the file and the line of the URL, for errors.
    """

    path: Path
    source_id: str
    kind: str
    url: str
    written_at: str
    site: str | None = None
    zone: str | None = None
    since: date | None = None
    series: bool = True
    password: SecretStr | None = None
    is_demo: bool = False


def read_server_file(file: TomlFile) -> ServerFile:
    """Read a source file that has a ``url`` in the place of tables.

    Raises
    ------
    PacsmeterError
        Something in it is not right; the error names the line, and never the password.
    """
    written = file.read_as(_WrittenServer)
    if _PASSWORD.search(written.url):
        raise file.fail("A password is written into the url", "Take it out, and put it into a file of its own that "
                        "password_file names.", "url")
    if written.since and not KINDS[written.kind].in_parts:
        raise file.fail(f"A source of kind {written.kind} is always read whole", "Take `since` out.", "since")
    password = None
    if written.password_file:
        if written.kind in ("dicom_folder", "hl7", "fhir", "sole", "cfind") or "sqlite:" in written.url:
            raise file.fail(f"A source of kind {written.kind} takes no password", "Take `password_file` out.",
                            "password_file")
        try:
            password = read_password(file.path.parent / written.password_file)
        except PacsmeterError as error:
            raise PacsmeterError(error.what, error.remedy, f"{error.record}; {file.line('password_file')}") from None
    return ServerFile(file.path, written.source_id, written.kind, _place(file, written), file.line("url"),
                      written.site, written.zone, written.since, written.series, password, written.is_demo)


def _place(file: TomlFile, written: _WrittenServer) -> str:
    scheme, colon, _ = written.url.partition(":")
    if written.kind == "dicom_folder" and (not colon or scheme.lower() == "file"):
        path = unquote(re.sub(r"^file:(//)?", "", written.url, flags=re.IGNORECASE)) if colon else written.url
        return str(file.path.parent / path)
    if scheme.lower() not in BEGINS[written.kind]:
        known = " or ".join(f"{begin}:" for begin in BEGINS[written.kind])
        raise file.fail(f"The url of a source of kind {written.kind} begins with {known}",
                        "Correct the url, or the kind.", "url")
    return written.url


class FoundByFile:
    """A source that is found again by its source file, which knows where its password is.

    A folder of DICOM is not one: its files are looked for below its location.
    """

    def __init__(self, source: Source, file: Path) -> None:
        self._source, self.location = source, str(file.resolve())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)
