"""A source file or an export that is not in order is one clear line: which file, which line, what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.settings import Settings
from analytics.sources.base import Known
from analytics.sources.load import LoadRecord, load_source, open_source
from analytics.sources.source_file import read_source_file
from analytics.warehouse.schema import quarantine, studies
from analytics.warehouse.store import Store
from tests.sources.sites import STUDIES_TOML, CompressedExport, Export, ParquetExport, write_rows

GOOD = STUDIES_TOML.format(file="studies.csv")


def load(store: Store, site: Export, settings: Settings) -> LoadRecord:
    with store.draft() as draft:
        return load_source(draft, site.open(settings))


@pytest.mark.parametrize(("old", "new", "said"), [
    ("[tables.studies", "[tables.studys", ["line 5", "no table 'studys'", "Did you mean 'studies'"]),
    ("study_at =", "study_instant =", ["line 14", "no column 'study_instant'", "There is:", "study_at"]),
    ("size_bytes = 1000", "site = 1000", ["line 17", "not a number"]),
    ('study_instance_uid = "STUDY_UID"', "", ["needs 'study_instance_uid'", "line 9"]),
    ('patient_id = "PAT_ID"', 'patient_key = "PAT_ID"', ["no column 'patient_key'"]),
    ("studies.csv", "studies.docx", ["line 6", "not a kind of file", ".parquet", ".xlsx"]),
    ("complete = true", "header_row = 2", ["line 7", "Only a workbook"]),
    ("complete = true", "sheet = 2", ["line 7", "sheet"]),
    ("Europe/London", "Europe/Lundun", ["line 4", "time zone"]),
    ("complete = true", "complete = maybe", ["line 7, column", "not valid TOML"]),
    ("complete = true", 'complete = "yes"', ["line 7", "complete"]),
    ('kind = "index_export"', 'kind = "index"', ["line 3", "index_export"]),
    ('site = "North"', 'size_bytes = 5', ["line 19", "both a column and a constant"]),
    ("%Y%m%d", "%Q", ["line 8", "tables.studies.date_format", "'%Q' is not a format"]),
    ("date_format", "date_fromat", ["line 8", "date_fromat"]),
])
def test_a_fault_in_a_source_file_names_the_line_and_what_to_do(
        tmp_path: Path, old: str, new: str, said: list[str]) -> None:
    path = tmp_path / "source.toml"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new) if old.startswith("[") else GOOD.replace(old, new, 1))
    with pytest.raises(PacsmeterError) as caught:
        read_source_file(path)
    assert [words for words in ["source.toml", *said] if words not in str(caught.value)] == []


def test_a_missing_column_is_named_with_what_there_is(tmp_path: Path, settings: Settings) -> None:
    site = Export(tmp_path / "site")
    (site.folder / site.file).write_text("STUDY_UIDS,PAT_ID,PAT_NAME,DOB,WHEN,SIZE_KB\n")
    with pytest.raises(PacsmeterError, match=r"no column 'STUDY_UID'.*Did you mean 'STUDY_UIDS'.*PAT_NAME"):
        list(site.open(settings).batches(Known(), lambda *_: None))
    (site.folder / site.file).write_text("STUDY_UID;PAT_ID;PAT_NAME;DOB;WHEN;SIZE_KB\n")
    with pytest.raises(PacsmeterError, match="delimiter"):
        list(site.open(settings).batches(Known(), lambda *_: None))


@pytest.mark.parametrize(("content", "said"), [
    (None, "not there"), (b"", "empty"), (b"STUDY_UID,\xff\n1,2\n", "not written in utf-8"),
    ("STUDY_UID,PAT_ID,PAT_NAME,DOB,WHEN,SIZE_KB\n1.2,P,Müller,19700101,2026-07-01,1\n".encode("latin-1"),
     "not written in utf-8.*encoding"),
])
def test_an_export_that_cannot_be_read_says_so(
        tmp_path: Path, settings: Settings, content: bytes | None, said: str) -> None:
    site = Export(tmp_path / "site")
    path = site.folder / site.file
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PacsmeterError, match=said):
        list(site.open(settings).batches(Known(), lambda *_: None))


@pytest.mark.parametrize("kind", [CompressedExport, ParquetExport], ids=lambda kind: kind.__name__)
def test_an_export_that_is_cut_off_is_refused_and_nothing_is_removed(
        duck_store: Store, tmp_path: Path, settings: Settings, kind: type[Export]) -> None:
    site = kind(tmp_path / "site")
    load(duck_store, site, settings)
    path = site.folder / site.file
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(PacsmeterError, match="damaged, cut off"):
        load(duck_store, site, settings)
    assert duck_store.current().count(studies) == 3


def test_another_encoding_and_delimiter_can_be_set(duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    site = Export(tmp_path / "site")
    toml = GOOD.replace("complete = true", 'complete = true\nencoding = "latin-1"\ndelimiter = ";"')
    (site.folder / "source.toml").write_text(toml)
    (site.folder / site.file).write_bytes(
        "STUDY_UID;PAT_ID;PAT_NAME;DOB;WHEN;SIZE_KB\n1.2;P;Müller;19700101;2026-07-01 10:00;1\n".encode("latin-1"))
    assert load(duck_store, site, settings).added == 1


def test_bad_rows_are_named_by_line_and_the_rest_is_loaded(
        duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    site = Export(tmp_path / "site")
    good = "1.9,P,N,19700101,2026-07-01 10:00:00,1"
    (site.folder / site.file).write_text("\n".join([
        "STUDY_UID,PAT_ID,PAT_NAME,DOB,WHEN,SIZE_KB", "1.1,P,N,19701301,2026-07-01 10:00:00,1",
        "1.2,P,N,19700101,soon,1", "", "1.3,P,N,19700101,2026-07-01 10:00:00,big", ",P,N,,,", "1.4,P", good]))
    record = load(duck_store, site, settings)
    held = duck_store.current().read(
        sa.select(quarantine.c.locator, quarantine.c.reason_code))
    assert dict(held.itertuples(index=False)) == {
        "studies.csv:2": "bad_date", "studies.csv:3": "bad_instant", "studies.csv:5": "bad_number",
        "studies.csv:6": "empty_key", "studies.csv:7": "wrong_width"}
    assert (record.read, record.added, record.left_out) == (6, 1, 5)
    write_rows(site.folder / site.file, site.rows)
    load(duck_store, site, settings)
    assert duck_store.current().count(quarantine) == 0, "rows that were put right leave quarantine"


def test_an_export_written_ten_times_over_is_loaded_once_and_said(
        duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    site = Export(tmp_path / "site")
    site.rows *= 10
    site.write()
    record = load(duck_store, site, settings)
    assert (record.read, record.added, record.left_out) == (30, 3, 27)
    assert "27 rows came more than once" in record.message


def test_an_export_of_which_no_row_is_usable_removes_nothing(
        duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    site = Export(tmp_path / "site")
    load(duck_store, site, settings)
    for row in site.rows:
        row["WHEN"] = "01.07.2026"
    site.write()
    with pytest.raises(PacsmeterError, match=r"no usable row for studies, and 3 .*3 bad_instant"):
        load(duck_store, site, settings)
    assert duck_store.current().count(studies) == 3


def test_what_an_archive_has_not_calculated_is_empty_and_said(
        duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    site = Export(tmp_path / "site")
    site.rows[0]["SIZE_KB"] = "-1"
    site.write()
    assert "1 values of SIZE_KB are negative" in load(duck_store, site, settings).message
    held = duck_store.current().read(sa.select(studies.c.size_bytes)).size_bytes
    assert held.isna().sum() == 1


@pytest.mark.parametrize(("spec", "said"), [
    ("nowhere", "nothing there"), ("ftp://somewhere", "not a source"), ("orthanc+mysql://x", "not a source"),
    ("orthanc+sqlite:///nowhere/index", "not there")])
def test_what_is_no_source_is_refused(settings: Settings, spec: str, said: str) -> None:
    with pytest.raises(PacsmeterError, match=said):
        open_source(spec, settings)


def test_an_export_without_a_source_file_is_refused(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "x.csv").write_text("A\n1\n")
    with pytest.raises(PacsmeterError, match="needs a source file"):
        open_source(tmp_path / "x.csv", settings)


def test_a_source_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "source.toml").write_text(GOOD, encoding="utf-8-sig")
    assert read_source_file(tmp_path / "source.toml").source_id == "archive"


def test_an_export_in_utf_16_is_told_its_encoding(tmp_path: Path, settings: Settings) -> None:
    site = Export(tmp_path / "site")
    path = site.folder / site.file
    path.write_text(path.read_text(), encoding="utf-16")
    with pytest.raises(PacsmeterError, match='such as "utf-16"'):
        list(site.open(settings).batches(Known(), lambda *_: None))


READ_IT = """
import sys
from pathlib import Path
from analytics.sources.source_file import read_source_file
from analytics.sources.table_files import TableFile
try:
    TableFile(read_source_file(Path(sys.argv[1])).tables[0]).check()
except Exception as error:
    print(error, file=sys.stderr)
"""


def test_a_binary_file_called_csv_is_one_line(tmp_path: Path) -> None:
    site = Export(tmp_path / "site")
    (site.folder / site.file).write_bytes(b"a,b\n" + b"\xdc,\xff,1\n" * 3)
    done = subprocess.run([sys.executable, "-c", READ_IT, site.spec], capture_output=True, text=True, check=True)
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_a_first_load_without_a_usable_row_is_refused(
        duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    site = Export(tmp_path / "site")
    for row in site.rows:
        row["WHEN"] = "soon"
    site.write()
    with pytest.raises(PacsmeterError, match=r"None of the 3 rows.*bad_instant, first at studies.csv:2"):
        load(duck_store, site, settings)
    (site.folder / site.file).write_text("STUDY_UID,PAT_ID,PAT_NAME,DOB,WHEN,SIZE_KB\n")
    with pytest.raises(PacsmeterError, match="0 rows"):
        load(duck_store, site, settings)
    assert duck_store.current_revision() == 0


def test_a_site_given_for_a_source_file_is_refused(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(PacsmeterError, match=r"says itself.*Leave --site out"):
        open_source(Export(tmp_path / "site").spec, settings, site="South")


def test_rows_that_differ_under_one_key_are_named_once_for_the_table(
        store: Store, tmp_path: Path, settings: Settings) -> None:
    site = Export(tmp_path / "site")
    site.rows += [{**site.rows[0], "SIZE_KB": "77"}, {**site.rows[0], "SIZE_KB": "78"}, dict(site.rows[1])]
    site.write()
    record = load(store, site, settings)
    assert (record.rejected, record.left_out, record.added) == ({"repeated_key": 2}, 3, 3)
    held = store.current().read(sa.select(quarantine.c.reason_code, quarantine.c.reason))
    assert held.reason_code.tolist() == ["repeated_key"] and "2 rows of studies" in held.reason[0]
