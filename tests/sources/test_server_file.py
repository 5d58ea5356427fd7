"""A source file that names a server: opened as it says, or refused with the line; its password is never shown."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.secrets import Credentials, credentials_for, with_password
from analytics.core.settings import Settings
from analytics.sources import open as opening
from analytics.sources.base import KINDS, Known
from analytics.sources.load import load_source
from analytics.sources.server_file import BEGINS, read_server_file
from analytics.sources.toml_file import TomlFile
from analytics.warehouse.schema import sources, studies
from analytics.warehouse.store import Store
from tests.sources.fake_orthanc import OrthancIndex
from tests.sources.sites import Folder, Site
from tests.sources.test_contract import SITES

PASSWORD = "not-to-be-shown"

WHOLE = """
source_id = "main"
kind = "dicomweb"
url = "dicomweb+https://reader@pacs.example/dicom-web"
site = "North"
zone = "Europe/London"
since = 2015-01-01
password_file = "secret.txt"
is_demo = true
"""


def written(folder: Path, text: str) -> Path:
    """Write a source file and its password beside it."""
    path = folder / "pacs.toml"
    path.write_text(text)
    (folder / "secret.txt").write_text(f"  {PASSWORD}\n")
    (folder / "secret.txt").chmod(0o600)
    return path


def test_what_the_file_says_is_what_the_opener_gets(
        tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    index = OrthancIndex(tmp_path / "index").open(settings)

    def opener(named: str, options: opening.Options) -> Any:
        asked.update(named=named, options=options)
        index.kind = "dicomweb"
        return index

    monkeypatch.setattr(opening, "_opener", lambda scheme: opener)
    path = written(tmp_path, WHOLE)
    source = opening.open_source(path, settings)

    options = asked["options"]
    assert asked["named"] == "dicomweb+https://reader@pacs.example/dicom-web"
    assert (options.source_id, options.site, options.zone, options.since, options.is_demo) == (
        "main", "North", "Europe/London", date(2015, 1, 1), True)
    assert credentials_for(urlsplit(asked["named"]), "main", options.password) == Credentials("reader", PASSWORD)
    assert PASSWORD not in repr(options)
    assert source.location == str(path), "it is found again by its file"
    assert source.kind == "dicomweb", "and is what it was"

    opening.open_source(path, settings, since=date(2020, 2, 2), zone="Asia/Tokyo")
    assert (asked["options"].since, asked["options"].zone) == (date(2020, 2, 2), "Europe/London")


@pytest.mark.parametrize(("changed", "said"), [
    (("reader@", f"reader:{PASSWORD}@"), r"password is written into the url \[.*line 4\]\. .*password_file"),
    (("reader@", f"reader:{PASSWORD}/x@"), "line 4"),
    (('/dicom-web"', f'/dicom-web?password={PASSWORD}"'), "line 4"),
    (('"dicomweb+https', '"cfind'), r"begins with dicomweb\+http: or dicomweb\+https: \[.*line 4"),
    (('kind = "dicomweb"', 'kind = "web"'), r"kind: .*line 3"),
    (("since = 2015-01-01", 'since = "2015"'), r"since: .*line 7"),
    (("Europe/London", "Europe/Londn"), r"Europe/Londn.*line 6"),
    (("site =", "cite ="), r"cite: .*line 5"),
    (("secret.txt", "none.txt"), r"cannot be read \(No such file.*none.txt; .*line 8"),
    (("is_demo = true", "[tables.studies]"), r"tables: .*line 9"),
    (('source_id = "main"', ""), "source_id"),
])
def test_what_is_wrong_is_one_line_that_names_the_place(
        tmp_path: Path, settings: Settings, changed: tuple[str, str], said: str) -> None:
    path = written(tmp_path, WHOLE.replace(*changed))
    with pytest.raises(PacsmeterError, match=said) as caught:
        opening.open_source(path, settings)
    assert str(path) in str(caught.value)
    assert PASSWORD not in str(caught.value) and "\n" not in str(caught.value)


def test_a_password_that_others_can_read_is_refused(tmp_path: Path, settings: Settings) -> None:
    path = written(tmp_path, WHOLE)
    (tmp_path / "secret.txt").chmod(0o640)
    with pytest.raises(PacsmeterError, match=r"chmod 600 .*secret.txt"):
        opening.open_source(path, settings)


def test_an_empty_password_is_not_no_password(tmp_path: Path, settings: Settings) -> None:
    path = written(tmp_path, WHOLE)
    (tmp_path / "secret.txt").write_text("\n")
    with pytest.raises(PacsmeterError, match="is empty"):
        opening.open_source(path, settings)


def test_a_file_of_an_index_loads_as_its_url_does(tmp_path: Path, duck_store: Store, settings: Settings) -> None:
    site = OrthancIndex(tmp_path / "index")
    path = written(tmp_path, f'source_id = "main"\nkind = "orthanc"\nurl = "{site.spec}"\nsite = "North"\n')
    with duck_store.draft() as draft:
        record = load_source(draft, opening.open_source(path, settings))
    warehouse = duck_store.current()
    assert (record.source_id, record.by_table["studies"].added) == ("main", 3)
    assert set(warehouse.read(sa.select(studies.c.site)).site) == {"North"}
    location = warehouse.scalar(sa.select(sources.c.location))
    again = opening.open_source(location, settings)
    assert (again.source_id, again.kind) == ("main", "orthanc")


@pytest.mark.parametrize("site", SITES, ids=lambda kind: kind.__name__, indirect=True)
def test_every_kind_of_server_loads_by_its_file_and_is_found_again_by_it(
        site: Site, tmp_path: Path, duck_store: Store, settings: Settings) -> None:
    if "://" not in site.spec:
        pytest.skip("it is no server")
    kind, password = site.open(settings).kind, urlsplit(site.spec).password
    url, more = site.spec, ""
    if password:
        url, more = site.spec.replace(f":{password}@", "@"), 'password_file = "secret.txt"\n'
    path = written(tmp_path, f'source_id = "by-file"\nkind = "{kind}"\nurl = "{url}"\n{more}')
    (tmp_path / "secret.txt").write_text(password or PASSWORD)
    with duck_store.draft() as draft:
        record = load_source(draft, opening.open_source(path, settings))
    added = {name: counts.added for name, counts in record.by_table.items()}
    assert added == {table.name: count for table, count in site.expected.first.items()}
    (held,) = duck_store.current().arrow(sa.select(sources)).to_pylist()
    assert (held["source_id"], held["kind"], held["location"]) == ("by-file", kind, str(path))
    with duck_store.draft() as draft:
        again = load_source(draft, opening.open_source(held["location"], settings))
    assert not any(counts.added or counts.changed or counts.removed for counts in again.by_table.values())


@pytest.mark.parametrize("url", ["images", "file:images", "file://{folder}/images", "{folder}/images"])
def test_a_folder_is_relative_to_its_file_and_stays_where_images_are_found(
        tmp_path: Path, settings: Settings, url: str) -> None:
    Folder(tmp_path / "images")
    path = written(tmp_path, f'source_id = "ct"\nkind = "dicom_folder"\nurl = "{url.format(folder=tmp_path)}"\n')
    source = opening.open_source(path, settings)
    assert (source.source_id, source.kind, source.location) == ("ct", "dicom_folder", str(tmp_path / "images"))
    assert list(source.batches(Known(), lambda *_: None))


def test_a_file_that_names_itself_is_a_folder_without_images(tmp_path: Path, settings: Settings) -> None:
    path = written(tmp_path, 'source_id = "ct"\nkind = "dicom_folder"\nurl = "pacs.toml"\n')
    assert opening.open_source(path, settings).location == str(tmp_path)


def test_what_cannot_be_opened_names_the_line_of_its_url(tmp_path: Path, settings: Settings) -> None:
    path = written(tmp_path, 'source_id = "m"\nkind = "orthanc"\nurl = "orthanc+sqlite:///no/such/index"\n')
    with pytest.raises(PacsmeterError, match=r"index is not there \[/no/such/index; .*pacs.toml, line 3\]"):
        opening.open_source(path, settings)


@pytest.mark.parametrize(("kind", "key", "said"), [
    ("orthanc", "since = 2015-01-01", "always read whole"), ("hl7", 'password_file = "secret.txt"', "no password"),
    ("cfind", 'password_file = "secret.txt"', "no password")])
def test_what_a_kind_does_not_heed_is_not_passed_over(
        tmp_path: Path, settings: Settings, kind: str, key: str, said: str) -> None:
    path = written(tmp_path, f'source_id = "m"\nkind = "{kind}"\nurl = "x:///y"\n{key}\n')
    with pytest.raises(PacsmeterError, match=f"{said}.*line 4"):
        opening.open_source(path, settings)


def test_since_is_refused_where_it_would_do_nothing(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(PacsmeterError, match="always read whole"):
        opening.open_source(Folder(tmp_path / "images").spec, settings, since=date(2020, 1, 1))


def test_a_zone_that_there_is_not_is_refused(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(PacsmeterError, match=r"'Mars/Base' is not a time zone.*--zone"):
        opening.open_source(Folder(tmp_path / "images").spec, settings, zone="Mars/Base")


def test_every_kind_that_has_a_url_can_be_written_into_a_file() -> None:
    assert set(BEGINS) == set(KINDS) - {"index_export", "ris_events"}
    assert {begin for begins in BEGINS.values() for begin in begins} == {*opening.SCHEMES, "file"}


def test_a_databases_password_comes_from_the_file_or_the_environment(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = sa.make_url("postgresql://reader@host/index")
    server = read_server_file(TomlFile(written(tmp_path, 'source_id = "m-1"\nkind = "orthanc"\n'
                                               'url = "orthanc+postgresql://reader@host/index"\n'
                                               'password_file = "secret.txt"\n')))
    assert with_password(url, "m-1", server.password).password == PASSWORD
    assert with_password(url, "m-1").password is None
    monkeypatch.setenv("PACSMETER_PASSWORD_M_1", "of-the-environment")
    assert with_password(url, "m-1").password == "of-the-environment"
    assert with_password(url.set(password="own"), "m-1", server.password).password == "own"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_password_of_somebody_else_is_refused(tmp_path: Path, settings: Settings) -> None:
    path = written(tmp_path, WHOLE)
    os.chown(tmp_path / "secret.txt", 65534, -1)
    with pytest.raises(PacsmeterError, match=r"belongs to nobody, and pacsmeter runs as root"):
        opening.open_source(path, settings)
