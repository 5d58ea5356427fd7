"""Who a patient is: asked of the source itself, by those who may, and written down before it is shown.

The warehouse knows nobody. What a source answers is returned and kept nowhere; the ledger gets who asked, for which
pseudonym, of which source and why.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from analytics.core.errors import PacsmeterError
from analytics.core.pseudonym import PLACEHOLDER_PREFIX, Pseudonymizer
from analytics.core.settings import Settings
from analytics.ledger.ledger import Ledger
from analytics.sources.base import Identity
from analytics.sources.open import open_source
from analytics.sources.path_identity import identities as giveaways
from analytics.sources.path_identity import said_in
from analytics.warehouse.key_check import confirm_key
from analytics.warehouse.schema import instances, patient_merges, sources, studies
from analytics.warehouse.store import Warehouse

LOOKED_UP, REFUSED, FAILED = "patient looked up", "patient look-up refused", "patient look-up failed"
"""What the audit trail says was done."""

_MERGES_FOLLOWED = 20


def may_identify(settings: Settings, who: str) -> bool:
    """Whether a user is one of ``PACSMETER_IDENTIFY_USERS``; the case of an e-mail address does not count."""
    return _folded(who) in {_folded(one) for one in settings.identify_users.split(",")} - {""}


def _folded(user: str) -> str:
    return user.strip().casefold() if "@" in user else user.strip()


@dataclass(frozen=True)
class _Held:
    """A study as one source holds it, with the pseudonyms that the warehouse has for its patient."""

    source_id: str
    kind: str
    location: str
    study_instance_uid: str
    patient_keys: frozenset[str]

    def __str__(self) -> str:
        return f"study {self.study_instance_uid} of {self.source_id}"


def identify(warehouse: Warehouse, ledger: Ledger, settings: Settings, *, who: str, reason: str,
             study_instance_uid: str = "", patient_key: str = "") -> list[Identity]:
    """Return who the patient of a study, or behind a pseudonym, is, as the sources say now.

    Parameters
    ----------
    warehouse, ledger, settings
    who : str
        The user of the operating system on the command line, the e-mail address of who is signed in on a page.
    reason : str
        Why; kept in the audit trail, and therefore without the patient's name.
    study_instance_uid, patient_key : str
        One of them.

    Raises
    ------
    PacsmeterError
        The user may not ask, gives no reason or one that names the patient, no source can say, or what a source
        says now is not the patient that was loaded. Every attempt is in the audit trail.
    """
    who, reason = who.strip() or "unknown", reason.strip()
    study_instance_uid, patient_key = study_instance_uid.strip(), patient_key.strip()
    subject = _subject(warehouse, study_instance_uid, patient_key)
    if not may_identify(settings, who):
        ledger.record_audit(who, REFUSED, subject, "not one of PACSMETER_IDENTIFY_USERS")
        raise PacsmeterError("You may not look up who a patient is; the attempt is in the audit trail",
                             "Ask who runs pacsmeter to name you in PACSMETER_IDENTIFY_USERS.", who)
    if not reason:
        ledger.record_audit(who, REFUSED, subject, "no reason given")
        raise PacsmeterError("A patient is not looked up without a reason", "Say why; it is kept in the audit trail.")
    try:
        found = _found(warehouse, settings, study_instance_uid, patient_key)
        _keep_names_out(reason, (one for _, some in found for one in some))
    except Exception as error:
        said = error.what if isinstance(error, PacsmeterError) else f"a fault in pacsmeter ({type(error).__name__})"
        ledger.record_audit(who, FAILED, subject, said)
        raise
    for held, some in found:
        ledger.record_audit(who, LOOKED_UP, f"{held}, patient {_keys(settings, some)}", reason)
    return list(dict.fromkeys(one for _, some in found for one in some))


def _subject(warehouse: Warehouse, study_instance_uid: str, patient_key: str) -> str:
    """Say what was asked for; what the snapshot does not hold may be a name or an id, and is not written down."""
    what, column, asked = (("study", studies.c.study_instance_uid, study_instance_uid) if study_instance_uid
                           else ("patient", studies.c.patient_key, patient_key))
    held = bool(asked) and warehouse.count(sa.select(column).where(column == asked)) > 0
    return f"{what} {asked}" if held else f"a {what} that the snapshot does not hold"


def _keys(settings: Settings, identities: Iterable[Identity]) -> str:
    pseudonymizer = Pseudonymizer.from_file(settings.pseudonym_key_file)
    return ", ".join(sorted({pseudonymizer.patient_key(one.patient_id) or "without an id" for one in identities}))


def _keep_names_out(reason: str, identities: Iterable[Identity]) -> None:
    if any(said_in(reason, giveaways(one.patient_id, one.patient_name, one.patient_birth_date)) for one in identities):
        raise PacsmeterError("The reason names the patient, and the audit trail must hold no name",
                             "Say why in other words.")


def _found(warehouse: Warehouse, settings: Settings, study_instance_uid: str,
           patient_key: str) -> list[tuple[_Held, list[Identity]]]:
    """Ask every source that holds the study, or a study of the patient, until each has been asked once."""
    if bool(study_instance_uid) == bool(patient_key):
        raise PacsmeterError("Name a study or a patient, and not both", "Give the study's UID, or the patient's key.")
    if patient_key.startswith(PLACEHOLDER_PREFIX):
        raise PacsmeterError("This pseudonym stands for an id that many patients share", "Ask by the study.",
                             "patient")
    pseudonymizer = Pseudonymizer.from_file(settings.pseudonym_key_file)
    confirm_key(warehouse, pseudonymizer.key_check)
    found: list[tuple[_Held, list[Identity]]] = []
    refused: list[PacsmeterError] = []
    for held in _holders(warehouse, study_instance_uid, patient_key):
        try:
            found.append((held, _asked(warehouse, settings, pseudonymizer, held)))
        except PacsmeterError as error:  # another source may answer
            refused.append(error)
    if not found:
        raise refused[0] if refused else PacsmeterError(
            f"The snapshot holds no such {'study' if study_instance_uid else 'patient'} of an archive",
            "Check what you typed; `pacsmeter status` says what is loaded.")
    return found


def _holders(warehouse: Warehouse, study_instance_uid: str, patient_key: str) -> list[_Held]:
    """Return who holds the study; for a patient, the latest study of each source."""
    wanted = (studies.c.study_instance_uid == study_instance_uid if study_instance_uid
              else studies.c.patient_key.in_(sorted(_same_patient(warehouse, {patient_key}))))
    rows = warehouse.arrow(
        sa.select(sources.c.source_id, sources.c.kind, sources.c.location, studies.c.study_instance_uid,
                  studies.c.patient_key, studies.c.study_date)
        .join(sources, sources.c.source_id == studies.c.source_id).where(wanted)
        .order_by(sources.c.source_id, studies.c.study_date.desc().nulls_last(), studies.c.study_instance_uid)
    ).to_pylist()
    of_source: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        some = of_source.setdefault(row["source_id"], [])
        if not some or row["study_instance_uid"] == some[0]["study_instance_uid"]:
            some.append(row)
    return [_Held(source_id, some[0]["kind"], some[0]["location"], some[0]["study_instance_uid"],
                  frozenset(row["patient_key"] for row in some)) for source_id, some in of_source.items()]


def _same_patient(warehouse: Warehouse, keys: Iterable[str]) -> set[str]:
    """Return the pseudonyms that merges made one patient of."""
    known = set(keys)
    for _ in range(_MERGES_FOLLOWED):
        merged = warehouse.arrow(sa.select(patient_merges.c.merged_key, patient_merges.c.surviving_key).where(
            sa.or_(patient_merges.c.merged_key.in_(sorted(known)), patient_merges.c.surviving_key.in_(sorted(known)))))
        more = {key for column in merged.columns for key in column.to_pylist()} - known
        if not more:
            break
        known |= more
    return known


def _asked(warehouse: Warehouse, settings: Settings, pseudonymizer: Pseudonymizer, held: _Held) -> list[Identity]:
    """Ask one source, and keep those it names who are the patient that was loaded."""
    source: Any = open_source(held.location, settings, source_id=held.source_id)
    if source.kind == held.kind and hasattr(source, "identities_in"):
        named = source.identities_in(held.study_instance_uid, _a_file_of_each(warehouse, held))
    elif source.kind == held.kind and hasattr(source, "identities"):
        named = source.identities(held.study_instance_uid)
    else:
        raise PacsmeterError(f"A source of kind {held.kind} cannot be asked who a patient is",
                             "Ask the system that it comes from.", held.source_id)
    if not named:
        raise PacsmeterError("The source does not hold this study any more", "Load it again.", str(held))
    allowed = _same_patient(warehouse, held.patient_keys)
    right = [one for one in named if pseudonymizer.patient_key(one.patient_id) in allowed]
    if not right:
        raise PacsmeterError("The source says another patient for this study now than when it was loaded",
                             "Load it again, then ask again.", str(held))
    return right


def _a_file_of_each(warehouse: Warehouse, held: _Held) -> list[str]:
    """Return the path of one image for each of the patients that a study of files names."""
    found = warehouse.arrow(
        sa.select(sa.func.min(instances.c.path)).where(
            instances.c.source_id == held.source_id, instances.c.study_instance_uid == held.study_instance_uid)
        .group_by(instances.c.patient_key))
    return [str(path) for path in found.column(0).to_pylist() if path]
