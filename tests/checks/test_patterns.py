"""Patterns against other implementations, and against words put together at random."""

from __future__ import annotations

import re
import warnings
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from pydicom.sr.codedict import codes
from pydicom.uid import UID

from analytics.checks.conformance import UID_PATTERN
from analytics.checks.regions import PAIRED_WORDS, REGIONS, bits_of_terms, regions_named, side_named, term_of
from analytics.checks.terms import ALWAYS_LOSSY_UIDS, MODALITY_TERMS
from analytics.core.terms import TRANSFER_SYNTAXES
from analytics.warehouse.engine import DuckSession

near_uids = st.one_of(
    st.from_regex(r"[0-9.]{0,70}", fullmatch=True), st.from_regex(r"(0|[1-9][0-9]{0,8})(\.(0|[1-9][0-9]{0,9})){0,9}",
                                                                fullmatch=True), st.text(max_size=8))


TEXT = sa.column("text", sa.String)


def values(expression: sa.ColumnElement[Any], texts: list[str]) -> list[Any]:
    """Return what an expression of `TEXT` says of each text, by DuckDB."""
    rows = sa.union_all(*(sa.select(sa.literal(n).label("place"), sa.literal(text).label("text"))
                          for n, text in enumerate(texts))).subquery("texts")
    select = sa.select(expression).select_from(rows).order_by(rows.c.place)
    compiled = select.compile(dialect=DuckSession.dialect, compile_kwargs={"literal_binds": True})
    return [row[0] for row in duckdb.connect().execute(str(compiled)).fetchall()]


@given(near_uids)
def test_a_uid_is_well_formed_where_pydicom_says_so(text: str) -> None:
    ours = re.search(UID_PATTERN, text) is not None and len(text) <= 64
    with warnings.catch_warnings(action="ignore"):
        assert ours == (UID(text).is_valid and text != "")


@given(near_uids.filter(lambda text: "\x00" not in text and text.isprintable()))
def test_the_database_reads_the_pattern_as_python_does(text: str) -> None:
    found = duckdb.execute("SELECT regexp_matches(?, ?)", [text, UID_PATTERN]).fetchall()[0][0]
    assert found == (re.search(UID_PATTERN, text) is not None)


PAIRED = PAIRED_WORDS.split("|")


@pytest.mark.parametrize(("words", "side"), [
    ("XR {} LEFT", "L"), ("RIGHT {}", "R"), ("{} LT 2V", "L"), ("RT_{}", "R"), ("L {}", "L"), ("{}S, R", "R"),
    ("{}", None), ("BILAT {}", "B"), ("{} LEFT AND RIGHT", "B"), ("R/L {}", "B"), ("{} BOTH", "B"),
])
def test_a_description_names_a_side_beside_any_paired_part(words: str, side: str | None) -> None:
    assert values(side_named(TEXT), [words.format(part) for part in PAIRED]) == [side] * len(PAIRED)


@pytest.mark.parametrize(("words", "side"), [
    ("L SPINE", None), ("MR L-SPINE", None), ("T/L SPINE", None), ("RT PLANNING", None), ("RT DOSE", None),
    ("L CC", "L"), ("RMLO", "R"), ("LEFTOVER", None), ("UPRIGHT CHEST", None), ("BRIGHT BLOOD", None), ("", None),
])
def test_what_only_looks_like_a_side_is_none(words: str, side: str | None) -> None:
    assert values(side_named(TEXT), [words]) == [side]


COMPARED = [
    ("CT HEAD", "HEAD", True), ("CT HEAD", "CHEST", False), ("MR BRAIN", "HEAD", True), ("MR C-SPINE", "NECK", True),
    ("MR L SPINE", "LSPINE", True), ("MR LUMBAR SPINE", "CSPINE", False), ("MR SPINE", "TSPINE", True),
    ("MR THORACIC SPINE", "SPINE", True), ("CT CHEST ABDOMEN PELVIS", "PELVIS", True), ("XR HIP", "PELVIS", True),
    ("XR HAND", "WRIST", False), ("XR HAND", "EXTREMITY", True), ("XR KUB", "ABDOMEN", True),
    ("MG SCREENING MAMMOGRAPHY", "BREAST", True), ("RF BARIUM SWALLOW", "ESOPHAGUS", True),
    ("CT OVERHEAD", "HEAD", None), ("CT HEAD", "PHANTOM", None), ("REVIEW", "HEAD", None),
]


def test_a_body_part_agrees_contradicts_or_is_not_compared() -> None:
    named = values(regions_named(TEXT), [text for text, _, _ in COMPARED])
    meant = [bits_of_terms().get(term, 0) for _, term, _ in COMPARED]
    said = [bool(one & other) if one and other else None for one, other in zip(named, meant, strict=True)]
    assert said == [agree for _, _, agree in COMPARED]


def test_every_region_is_named_by_its_words_and_meant_by_its_terms() -> None:
    words = [(n, one) for n, region in enumerate(REGIONS)
             for one in re.findall(r"(?:^|\|)([A-Z ]+)(?=\||$)", region.words)]
    terms = [(n, one) for n, region in enumerate(REGIONS) for one in region.terms]
    assert len(words) > 100 and len(terms) > 100
    named = values(regions_named(TEXT), [f"CT {one} 2V" for _, one in words])
    assert [one for (n, one), bits in zip(words, named, strict=True) if not bits & 1 << n] == []
    assert [one for n, one in terms if not bits_of_terms()[one] & 1 << n] == []


def test_a_term_is_read_however_it_is_written() -> None:
    written = ["LSPINE", "lspine", "L SPINE", "L_Spine", "l-spine"]
    assert values(term_of(TEXT), written) == ["LSPINE"] * len(written)


def test_modality_terms_hold_every_code_of_the_context_groups() -> None:
    known = {code.value for group in (codes.cid29, codes.cid33) for code in group.concepts.values()}
    assert known <= set(MODALITY_TERMS)


def test_always_lossy_syntaxes_are_lossy_ones_that_cannot_be_lossless() -> None:
    lossy = {uid for uid, syntax in TRANSFER_SYNTAXES.items() if syntax.lossy}
    assert lossy - set(ALWAYS_LOSSY_UIDS) == {"1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.91"}
    assert not {uid for uid in ALWAYS_LOSSY_UIDS if uid in TRANSFER_SYNTAXES} - lossy
