"""Folders and files named after patients: no table says the name, and the files are still found."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from analytics.core.errors import PacsmeterError
from analytics.core.paths import masked, resolve_path
from analytics.core.pseudonym import Pseudonymizer
from analytics.core.settings import Settings
from analytics.imaging.measure import measure_images
from analytics.imaging.quality import locate
from analytics.imaging.render import thumbnail
from analytics.sources.load import LoadRecord, load_source, open_source
from analytics.sources.path_identity import identities, names_any
from analytics.warehouse.schema import files, image_measures, instances, quarantine
from analytics.warehouse.store import Store
from tests.sources.sites import IDS, NAMES, SECRETS, dicom_dataset
from tests.sources.test_contract import rows_of
from tests.sources.test_privacy import every_text

KEYS = Pseudonymizer(b"0123456789abcdef")
PATIENT = "Zwickerbauer_Roswitha_19430217"


def save(folder: Path, path: str, number: int, instance: int = 1) -> Path:
    """Write an image large enough to be measured."""
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    pixels = bytes(byte for row in range(64) for column in range(64) for byte in (row * column % 251, 0))
    dicom_dataset(number, instance, Rows=64, Columns=64, PixelData=pixels).save_as(file, enforce_file_format=True)
    return file


def make_tree(folder: Path) -> Path:
    """Write a tree in which patients are named every way a site does it, also by files that cannot be read."""
    whole = save(folder, f"2026/{PATIENT}/CT/IM0001", 0).read_bytes()
    (folder / "2026" / PATIENT / "CT" / "IM0002").touch()
    (folder / "2026" / PATIENT / "CT" / "roswitha-cut.dcm").write_bytes(whole[:-9])
    (folder / "2026" / PATIENT / "zwicker.txt").write_text("no image")
    (folder / "2026" / f"{PATIENT} (2)").mkdir()
    (folder / "2026" / f"{PATIENT} (2)" / "IM0001").touch()
    (folder / "2026" / PATIENT / "Roswitha-link").symlink_to(folder / "nowhere")
    save(folder, f"2026/{IDS[1].lower()}/Quattlebaum.Isidor", 1)
    save(folder, f"misc/{NAMES[2].replace('^', '-')}.dcm", 2)
    (folder / "misc" / "notes.txt").write_text("no image")
    return folder


def load(store: Store, folder: Path, settings: Settings, *, measure: bool = False,
         executor: ThreadPoolExecutor | None = None) -> LoadRecord:
    with store.draft() as draft:
        record = load_source(draft, open_source(folder, settings, source_id="folder", executor=executor))
        if measure:
            with ThreadPoolExecutor(1) as threads:
                measure_images(draft, settings=settings, executor=threads)
    return record


def leaks(store: Store) -> list[str]:
    """Return what of the patients can be read in the warehouse, but for where the tree itself is."""
    held = every_text(store.current())
    return [secret for secret in (*SECRETS, "ZWICKER") if secret in held]


def test_a_tree_named_after_patients_says_no_name_and_its_images_open(
        store: Store, tmp_path: Path, settings: Settings) -> None:
    folder = make_tree(tmp_path / "site")
    first = load(store, folder, settings, measure=True)
    assert (first.read, first.left_out, leaks(store)) == (9, 6, [])
    warehouse = store.current()
    held = warehouse.read(sa.select(files.c.path)).path.tolist()
    assert len(held) == len(set(held)) == 8
    patient = masked(PATIENT, Pseudonymizer.from_file(settings.pseudonym_key_file), is_file=False)
    assert f"2026/{patient}/CT/IM0001" in held, "what names nobody stays readable"
    assert f"2026/{patient}/CT/IM0002" in warehouse.read(sa.select(quarantine.c.locator)).locator.tolist()
    assert "misc/notes.txt" in held
    for number in range(3):
        found = locate(warehouse, f"1.2.{number}.1.1", settings.pseudonym_key_file)
        assert thumbnail(str(found), 32).startswith(b"\x89PNG")
    measured = warehouse.read(sa.select(image_measures.c.message).where(image_measures.c.measure == "decoded"))
    assert measured.message.isna().tolist() == [True] * 3
    before = rows_of(store)

    again = load(store, folder, settings, measure=True)
    assert (again.read, again.added, again.changed, again.removed) == (1, 0, 0, 0), "the broken link alone"
    assert rows_of(store) == before


def test_what_is_gone_or_added_in_a_masked_folder_is_seen(
        duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    folder = make_tree(tmp_path / "site")
    with ThreadPoolExecutor(2) as executor:
        load(duck_store, folder, settings, executor=executor)
    (folder / "2026" / PATIENT / "CT" / "IM0003").touch()
    (folder / "2026" / PATIENT / "roswitha_2.txt").write_text("no image")
    shutil.rmtree(folder / "2026" / IDS[1].lower())
    record = load(duck_store, folder, settings)
    assert (record.by_table["instances"].removed, record.by_table["instances"].unchanged) == (1, 2)
    assert record.rejected == {"empty": 1, "not_dicom": 1, "unreadable_folder": 1}
    assert leaks(duck_store) == []
    save(folder, f"2026/{PATIENT}/CT/IM0001", 1)
    assert load(duck_store, folder, settings).by_table["instances"].added == 1, "its new patient is another"
    assert leaks(duck_store) == [], "a folder's name stays masked when its patient's last file is gone"


def test_a_name_found_later_masks_what_was_stored_before(
        duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    folder = tmp_path / "site"
    save(folder, f"{PATIENT}/IM1", 1)
    (folder / PATIENT / "IM2").touch()
    load(duck_store, folder, settings, measure=True)
    assert "ROSWITHA" in leaks(duck_store), "no header says yet that this is a name"
    save(folder, f"{PATIENT}/IM3", 0)
    load(duck_store, folder, settings, measure=True)
    assert leaks(duck_store) == []
    warehouse = duck_store.current()
    assert (warehouse.count(files), warehouse.count(instances), warehouse.count(quarantine)) == (3, 2, 1)
    assert warehouse.count(sa.select(image_measures.c.path).where(image_measures.c.measure == "decoded")) == 2


def test_folders_that_differ_in_case_alone_are_two(duck_store: Store, tmp_path: Path, settings: Settings) -> None:
    folder = tmp_path / "site"
    save(folder, "ROSWITHA/IM1", 0, 1)
    save(folder, "roswitha/IM1", 0, 2)
    load(duck_store, folder, settings)
    assert duck_store.current().count(files) == duck_store.current().count(instances) == 2
    assert leaks(duck_store) == []


@pytest.mark.parametrize(("component", "name", "id_", "born", "is_named"), [
    ("DOE_JANE_19600101", "Doe^Jane", "", "", True), ("janedoe", "DOE^JANE", "", "", True),
    ("Mueller", "Müller^A", "", "", True), ("MULLER", "Müller^A", "", "", True), ("Müller", "MUELLER^A", "", "", True),
    ("Mu\u0308ller", "Müller^A", "", "", True), ("M\\xfcller", "Müller^A", "", "", True),
    ("sorensen", "Sørensen^B", "", "", True), ("山田太郎", "Yamada^Taro=山田^太郎", "", "", True),
    ("mrn1234", "A^B", "MRN-1234", "", True), ("x-1960-01-01", "", "", "19600101", True),
    ("CT", "Doe^Jane", "4711", "19600101", False), ("12", "Li^Bo", "12", "", False),
    ("UNKNOWN", "Doe^Jane", "UNKNOWN", "", False), ("IM0001", "Doe^Jane", "00010", "", False),
])
def test_a_component_names_a_patient(component: str, name: str, id_: str, born: str, is_named: bool) -> None:
    assert names_any(component, identities(id_, name, born)) is is_named


@given(st.text(st.characters(categories=["L"]), min_size=3), st.text(), st.text())
def test_a_name_is_found_wherever_it_stands(name: str, before: str, after: str) -> None:
    found = identities("", name, "")
    assert not found or names_any(f"{before} {name} {after}".replace("\\", ""), found)


@pytest.mark.parametrize(("name", "ends"), [
    ("DOE_JANE.dcm", ".dcm"), ("DOE_JANE.DCM", ".DCM"), ("DOE.JANE", ""), ("1.2.840", ""), ("DOE", "")])
def test_an_extension_stays_where_it_can_be_no_name(name: str, ends: str) -> None:
    mask = masked(name, KEYS, is_file=True)
    assert (mask[0], len(mask), mask[13:]) == ("~", 13 + len(ends), ends)
    assert masked(name, KEYS, is_file=False) == mask[:13]


def test_a_path_is_resolved_within_its_folder_or_it_is_said_what_to_do(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "DOE").mkdir(parents=True)
    outside.mkdir()
    (root / "DOE" / "JANE.dcm").touch()
    (outside / "secret").touch()
    (root / "link").symlink_to(outside)
    (root / "DOE" / "link.dcm").symlink_to(outside / "secret")
    folder = masked("DOE", KEYS, is_file=False)
    assert resolve_path(root, f"{folder}/{masked('JANE.dcm', KEYS, is_file=True)}", KEYS) == root / "DOE" / "JANE.dcm"
    for leading_out in ("link/secret", f"{folder}/{masked('link.dcm', KEYS, is_file=True)}"):
        with pytest.raises(PacsmeterError, match="leads out"):
            resolve_path(root, leading_out, KEYS)
    for no_path in ("../outside/secret", f"{folder}/../../outside/secret", "/etc/passwd", ""):
        with pytest.raises(PacsmeterError, match="does not lie within"):
            resolve_path(root, no_path, KEYS)
    with pytest.raises(PacsmeterError, match="not there any more, or the pseudonym key"):
        resolve_path(root, f"{folder}/~0123456789ab", KEYS)
    (root / "DOE" / "JANE.dcm").unlink()
    with pytest.raises(PacsmeterError, match="not there any more"):
        resolve_path(root, f"{folder}/{masked('JANE.dcm', KEYS, is_file=True)}", KEYS)
    with pytest.raises(PacsmeterError, match="not there or cannot be listed"):
        resolve_path(tmp_path / "unmounted", f"{folder}/x", KEYS)
