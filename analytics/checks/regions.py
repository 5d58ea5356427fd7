"""Body regions: the words of a description and the terms of Body Part Examined that mean the same anatomy.

Terms: DICOM PS3.16 2024e, annex L. Neighbors that one exam often covers (neck and cervical spine, hip and
pelvis) share a term, so that only a clear contradiction counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from analytics.warehouse.expressions import literal

_LIMB = ("EXTREMITY", "ARM", "LEG", "UPPEREXTREMITY", "LOWEREXTREMITY")


@dataclass(frozen=True)
class Region:
    """Anatomy that a description can name.

    Attributes
    ----------
    words : words of a description, as alternatives of a pattern, upper case.
    terms : terms of Body Part Examined, upper case without blanks.
    unless : words that make the description mean something narrower.
    """

    words: str
    terms: tuple[str, ...]
    unless: str = ""


_LEVELS = "CERVICAL|THORACIC|DORSAL|LUMBAR|LUMBOSACRAL|SACRAL|SACRUM|[CTL].?SPINE"
REGIONS: tuple[Region, ...] = (
    Region("HEAD|BRAIN|SKULL|CRANIAL|CRANIUM|CEREBRAL|ORBITS?|EYES?|SINUS|SINUSES|FACE|FACIAL|MANDIBLE|JAW|TMJ|IACS?|"
           "PITUITARY|TEMPORAL BONES?",
           ("HEAD", "BRAIN", "SKULL", "ORBIT", "EYE", "SINUS", "PARANASALSINUS", "FACE", "JAW", "MANDIBLE", "MAXILLA",
            "TMJ", "IAC", "SELLA", "PITUITARY", "NOSE", "EAR", "HEADNECK")),
    Region("NECK|CERVICAL|C.?SPINE|THYROID|LARYNX|PHARYNX|CAROTIDS?|PAROTID",
           ("NECK", "CSPINE", "THYROID", "LARYNX", "PHARYNX", "CAROTID", "PAROTID", "HEADNECK")),
    Region("CHEST|THORAX|LUNGS?|RIBS?|STERNUM|HEART|CARDIAC|CORONARY|MEDIASTINUM|PULMONARY|ESOPHAGUS|OESOPHAGUS|"
           "SWALLOW|AORTA|CLAVICLE",
           ("CHEST", "THORAX", "LUNG", "RIB", "STERNUM", "HEART", "CORONARYARTERY", "MEDIASTINUM", "ESOPHAGUS", "AORTA",
            "CLAVICLE", "CHESTABDOMEN", "CHESTABDPELVIS", "CHESTABDOMENPELVIS")),
    Region("THORACIC|DORSAL|T.?SPINE", ("TSPINE", "TLSPINE", "THORAX", "CHEST", "SPINE")),
    Region("ABD|ABDOMEN|ABDOMINAL|LIVER|KIDNEYS?|RENAL|PANCREAS|SPLEEN|GALLBLADDER|BILIARY|MRCP|KUB|COLON|ENEMA|BOWEL|"
           "STOMACH|GASTRIC|UPPER GI|AORTA",
           ("ABDOMEN", "LIVER", "KIDNEY", "PANCREAS", "SPLEEN", "GALLBLADDER", "BILEDUCT", "COLON", "BOWEL",
            "SMALLBOWEL", "STOMACH", "AORTA", "ABDOMENPELVIS", "CHESTABDOMEN", "CHESTABDPELVIS", "CHESTABDOMENPELVIS")),
    Region("PELVIS|PELVIC|HIPS?|BLADDER|UTERUS|OVAR(Y|IES)|PROSTATE|RECTUM|KUB|ENEMA|S.?I JOINTS?",
           ("PELVIS", "HIP", "BLADDER", "UTERUS", "OVARY", "PROSTATE", "RECTUM", "SIJOINT", "ABDOMENPELVIS",
            "CHESTABDPELVIS", "CHESTABDOMENPELVIS")),
    Region("LUMBAR|LUMBOSACRAL|L.?SPINE", ("LSPINE", "LSSPINE", "TLSPINE", "SPINE")),
    Region("SACRUM|SACRAL|COCCYX|LUMBOSACRAL", ("SSPINE", "SACRUM", "COCCYX", "LSSPINE", "SPINE", "PELVIS")),
    Region("SPINE|SPINAL|MYELOGRAM", ("SPINE", "WHOLESPINE", "CSPINE", "TSPINE", "LSPINE", "TLSPINE", "LSSPINE"),
           unless=_LEVELS),
    Region(_LEVELS, ("SPINE",)),
    Region("BREASTS?|MAMMO|MAMMOGRAM|MAMMOGRAPHY|MAMMOGRAPHIC", ("BREAST",)),
    Region("SHOULDERS?|SCAPULA|CLAVICLE|A.?C JOINTS?|HUMERUS",
           ("SHOULDER", "SCAPULA", "CLAVICLE", "ACJOINT", "HUMERUS", *_LIMB)),
    Region("ELBOWS?|FOREARMS?|RADIUS|ULNA|HUMERUS", ("ELBOW", "FOREARM", "RADIUS", "ULNA", "HUMERUS", *_LIMB)),
    Region("WRISTS?|SCAPHOID|CARPAL", ("WRIST", "SCAPHOID", *_LIMB)),
    Region("HANDS?|FINGERS?|THUMBS?", ("HAND", "FINGER", "THUMB", *_LIMB)),
    Region("FEMUR|THIGHS?|HIPS?", ("FEMUR", "THIGH", "HIP", *_LIMB)),
    Region("KNEES?|PATELLA", ("KNEE", "PATELLA", *_LIMB)),
    Region("TIBIA|FIBULA|LOWER LEG|TIB.?FIB|CALF", ("TIBIA", "FIBULA", "TIBFIB", "LOWERLEG", "CALF", *_LIMB)),
    Region("ANKLES?", ("ANKLE", *_LIMB)),
    Region("FOOT|FEET|TOES?|CALCANEUS|HEEL", ("FOOT", "TOE", "CALCANEUS", "HEEL", *_LIMB)),
    Region("WHOLE.?BODY|BONE SCAN|SKELETAL SURVEY", ("WHOLEBODY", "SKELETON")),
)

PAIRED_WORDS = ("BREAST|KNEE|HAND|FOOT|SHOULDER|ELBOW|WRIST|ANKLE|HIP|FOREARM|HUMERUS|FEMUR|CLAVICLE|THUMB|FINGER|TOE|"
                "EYE|KIDNEY|TIBIA|FIBULA|CALCANEUS")
_VIEWS = "CC|MLO|ML|LM|XCCL|XCCM"
_BOTH_SIDES = r"BILAT|BILATERAL|BILAT\.|BOTH|L ?[/&+] ?R|R ?[/&+] ?L|LT ?[/&+] ?RT|RT ?[/&+] ?LT"
_RADIOTHERAPY = r"(^|[^A-Z])RT[^A-Z]?(PLAN|SIM|DOSE|STRUCT|IMAGE)"


def word(alternatives: str) -> str:
    """Return a pattern of whole words, for text in upper case."""
    return f"(^|[^A-Z])({alternatives})([^A-Z]|$)"


def term_of(body_part: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return Body Part Examined in upper case without blanks, dashes and underscores."""
    term = sa.func.upper(body_part)
    for mark in (" ", "_", "-", "/"):
        term = sa.func.replace(term, literal(mark), literal(""))
    return term


def regions_named(text: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """Return the regions that a description, in upper case, names: bit n for region n, 0 for none."""
    def named(region: Region) -> sa.ColumnElement[bool]:
        found = text.regexp_match(word(region.words))
        return sa.and_(found, sa.not_(text.regexp_match(word(region.unless)))) if region.unless else found

    bits = literal(0)
    for n, region in enumerate(REGIONS):
        bits = bits + sa.case((named(region), literal(1 << n)), else_=literal(0))
    return sa.cast(bits, sa.BigInteger)


def bits_of_terms() -> dict[str, int]:
    """Return the regions that each term of Body Part Examined means: bit n for region n."""
    bits: dict[str, int] = {}
    for n, region in enumerate(REGIONS):
        for term in region.terms:
            bits[term] = bits.get(term, 0) | 1 << n
    return bits


def regions_by_term() -> sa.Subquery:
    """Return a table of the terms known here and the regions that each means: ``term``, ``regions``."""
    rows = (sa.select(literal(term).label("term"), sa.cast(literal(bits), sa.BigInteger).label("regions"))
            for term, bits in sorted(bits_of_terms().items()))
    return sa.union_all(*rows).subquery("regions_by_term")


def side_named(text: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return the one side that a description, in upper case, names: L, R, B for both, or null for none.

    A lone L or R counts beside a paired body part or a mammographic view: ``L SPINE`` names no side.
    """
    def letter(side: str) -> str:
        return word(rf"{side}[^A-Z]*({_VIEWS})|{side}[^A-Z]+({PAIRED_WORDS})S?|({PAIRED_WORDS})S?[^A-Z]+{side}")

    left = sa.or_(text.regexp_match(word("LEFT|LT")), text.regexp_match(letter("L")))
    right = sa.or_(text.regexp_match(word("RIGHT")), text.regexp_match(letter("R")),
                   sa.and_(text.regexp_match(word("RT")), sa.not_(text.regexp_match(_RADIOTHERAPY))))
    both = sa.or_(text.regexp_match(word(_BOTH_SIDES)), sa.and_(left, right))
    return sa.case((both, literal("B")), (left, literal("L")), (right, literal("R")))
