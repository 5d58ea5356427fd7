"""Identity: does every study lead to one patient, and every patient to one identity?

Patients are pseudonyms: a check sees whether two identities are equal, never what they are.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from analytics.checks.base import Check
from analytics.checks.sameness import values_in_group
from analytics.checks.wording import evidence, given, identified, in_source_that_gives, number, violated
from analytics.core.findings import CheckSpec, Severity
from analytics.warehouse.expressions import literal
from analytics.warehouse.merged_patients import with_patient_now
from analytics.warehouse.schema import studies

_PATIENT_MODULE = "DICOM PS3.3 2024e, C.7.1.1 Patient Module"
_PIR = "IHE Radiology, Patient Information Reconciliation (PIR)"


def _patient_has_one(value: sa.Column[Any], words: str) -> sa.Select[Any]:
    """Candidates: patients with an ID of their own, and how many different values of one attribute each has."""
    patients = values_in_group(
        {"source_id": studies.c.source_id, "patient_key": studies.c.patient_key}, value,
        studies.c.study_instance_uid, identified(studies.c.patient_key), given(value))
    return sa.select(
        patients.c.source_id, patients.c.study_instance_uid,
        violated(patients.c.values_seen > literal(1)),
        evidence(number(patients.c.values_seen), f" different {words} under one patient ID; the rarest is in ",
                 number(patients.c.rows_with_rarest), " of ", number(patients.c.rows_seen), " studies"))


class PatientHasAnID(Check):
    """A study whose patient cannot be found again."""

    spec = CheckSpec(
        id="IDN201", name="The patient has an ID that is not missing and not a placeholder",
        severity=Severity.ERROR, category="identity",
        definition="Denominator: studies of every source that gives patient IDs at all. Violated where Patient ID "
                   "(0010,0020) is empty or is one that many patients share, such as 0, UNKNOWN, TEST or ANONYMOUS.",
        citation=f"{_PATIENT_MODULE}, Patient ID (0010,0020); {_PIR}",
        fix_technologist="Find the patient in the RIS and reconcile the study to the right ID before it is read. For "
                         "an emergency patient use the hospital's temporary ID, never a fixed word.",
        fix_administrator="Merge or move the study to the right patient in the archive. Make Patient ID mandatory for "
                          "unscheduled exams on the device, and have the worklist reached when the network is slow.",
    )

    def candidates(self) -> sa.Select[Any]:
        key = studies.c.patient_key
        return sa.select(
            studies.c.source_id, studies.c.study_instance_uid, violated(sa.not_(identified(key))),
            evidence(sa.case((given(key), literal("Patient ID is a placeholder")),
                             else_=literal("Patient ID is missing"))),
        ).where(in_source_that_gives(key, given(key)))


class PatientHasOneName(Check):
    """Two names under one ID: a typing error, a change of name, or two people."""

    spec = CheckSpec(
        id="IDN202", name="One patient ID has one name", severity=Severity.WARNING, category="identity",
        definition="Denominator: patients with an ID that is no placeholder and at least one name. Violated where "
                   "studies of one patient ID carry more than one Patient's Name (0010,0010), case aside.",
        citation=f"{_PATIENT_MODULE}, Patient's Name (0010,0010); {_PIR}",
        fix_technologist="Compare with the RIS. If the name was typed at the device, correct the study; if it belongs "
                         "to somebody else, tell the PACS administrator at once and do not send it on.",
        fix_administrator="Tell a change of name (update all studies from the RIS's ADT message) from two people under "
                          "one ID (split them). Names typed at one device mean that its worklist is not used.",
    )

    def candidates(self) -> sa.Select[Any]:
        return _patient_has_one(studies.c.name_key, "names")


class PatientHasOneBirthDate(Check):
    """Two birth dates under one ID: one is wrong, or there are two people."""

    spec = CheckSpec(
        id="IDN203", name="One patient ID has one birth date", severity=Severity.ERROR, category="identity",
        definition="Denominator: patients with an ID that is no placeholder and at least one birth date. Violated "
                   "where studies of one patient ID carry more than one Patient's Birth Date (0010,0030).",
        citation=f"{_PATIENT_MODULE}, Patient's Birth Date (0010,0030); {_PIR}",
        fix_technologist="Check the birth date with the patient or the RIS and correct the study that differs. If "
                         "another person's study is under this ID, stop and tell the PACS administrator.",
        fix_administrator="Correct the study that differs from the master patient index. If two people share the ID, "
                          "split them and ask registration how the ID was given twice.",
    )

    def candidates(self) -> sa.Select[Any]:
        return _patient_has_one(studies.c.birth_date_key, "birth dates")


class PatientHasOneSex(Check):
    """Two values of sex under one ID; an unknown one does not count."""

    spec = CheckSpec(
        id="IDN204", name="One patient ID has one sex", severity=Severity.WARNING, category="identity",
        definition="Denominator: patients with an ID that is no placeholder and at least one study whose Patient's Sex "
                   "(0010,0040) is M or F. Violated where both occur under one patient ID; O and empty do not count.",
        citation=f"{_PATIENT_MODULE}, Patient's Sex (0010,0040), enumerated values M, F, O",
        fix_technologist="Compare with the RIS and correct the study that differs; if the images are not of this "
                         "patient, tell the PACS administrator.",
        fix_administrator="Check against the master patient index: a registration error, a recorded change, or two "
                          "people under one ID, who must be split.",
    )

    def candidates(self) -> sa.Select[Any]:
        known = sa.case((studies.c.patient_sex.in_([literal("M"), literal("F")]), studies.c.patient_sex))
        patients = values_in_group(
            {"source_id": studies.c.source_id, "patient_key": studies.c.patient_key}, known,
            studies.c.study_instance_uid, identified(studies.c.patient_key), known.is_not(None))
        return sa.select(
            patients.c.source_id, patients.c.study_instance_uid, violated(patients.c.values_seen > literal(1)),
            evidence("M and F under one patient ID; ", patients.c.rarest, " in ",
                     number(patients.c.rows_with_rarest), " of ", number(patients.c.rows_seen), " studies"))


class PersonHasOneID(Check):
    """One name and birth date under several IDs: priors that a radiologist does not see."""

    spec = CheckSpec(
        id="IDN205", name="One person has one patient ID", severity=Severity.WARNING, category="identity",
        definition="Denominator: persons, told apart by name and birth date, with at least one patient ID that is no "
                   "placeholder. Violated where one person has more than one; IDs that a source tells to be merged "
                   "are one. Two people can share a name and a birth date, so each finding is a question.",
        citation=f"{_PIR}; IHE IT Infrastructure, Patient Identifier Cross-referencing (PIX)",
        fix_technologist="Before the exam, search by name and birth date as well as by ID, and use the ID that holds "
                         "the priors.",
        fix_administrator="Ask registration whether the IDs are one person. If so, have them merged in the master "
                          "patient index so that the merge message (ADT A40) reaches the archive.",
    )

    def candidates(self) -> sa.Select[Any]:
        held = with_patient_now(studies).c
        persons = values_in_group(
            {"source_id": held.source_id, "name_key": held.name_key, "birth_date_key": held.birth_date_key},
            held.patient_now, held.study_instance_uid,
            given(held.name_key), given(held.birth_date_key), identified(held.patient_key))
        return sa.select(
            persons.c.source_id, persons.c.study_instance_uid, violated(persons.c.values_seen > literal(1)),
            evidence("one name and birth date under ", number(persons.c.values_seen), " patient IDs; the rarest has ",
                     number(persons.c.rows_with_rarest), " of ", number(persons.c.rows_seen), " studies"))


class StudyBelongsToOnePatient(Check):
    """One Study Instance UID under two patients: one of them sees the other's images."""

    spec = CheckSpec(
        id="IDN206", name="One study belongs to one patient", severity=Severity.ERROR, category="identity",
        definition="Denominator: Study Instance UIDs. Violated where one UID is stored under more than one patient "
                   "(Patient ID, an empty one included; IDs that a source tells to be merged are one).",
        citation="DICOM PS3.3 2024e, A.1.2.2 Study IE: a study is associated with exactly one patient",
        fix_technologist="Do not read from either copy until it is clear whose images they are; compare with the "
                         "worklist entry of the exam.",
        fix_administrator="Find out who changed the patient after the study was stored (a correction at the device "
                          "and sent again, an import), move the instances to the right patient and delete the rest.",
    )

    def candidates(self) -> sa.Select[Any]:
        held = with_patient_now(studies).c
        found = values_in_group(
            {"source_id": held.source_id, "study_uid": held.study_instance_uid}, held.patient_now,
            held.study_instance_uid, given(held.study_instance_uid))
        return sa.select(
            found.c.source_id, found.c.study_instance_uid, violated(found.c.values_seen > literal(1)),
            evidence("one Study Instance UID under ", number(found.c.values_seen), " patients"))


class AccessionBelongsToOneStudy(Check):
    """One accession number on several studies: the report hangs on one of them."""

    spec = CheckSpec(
        id="IDN207", name="One accession number belongs to one study", severity=Severity.WARNING, category="identity",
        definition="Denominator: accession numbers that at least one study carries. Violated where studies with "
                   "different Study Instance UIDs carry the same one. One order may rightly lead to several studies "
                   "where the RIS says so.",
        citation="DICOM PS3.3 2024e, C.7.2.1 General Study Module, Accession Number (0008,0050); IHE Radiology, "
                 "Scheduled Workflow (SWF): the Study Instance UID comes from the worklist",
        fix_technologist="Start the exam from its own worklist entry, never from the last patient's; when a device "
                         "restarts an exam, append to the study rather than open a new one.",
        fix_administrator="Look whether the studies are one exam in two parts (merge them), two exams with a copied "
                          "number (correct one), or an order that the RIS splits by design.",
    )

    def candidates(self) -> sa.Select[Any]:
        found = values_in_group(
            {"source_id": studies.c.source_id, "accession_number": studies.c.accession_number},
            studies.c.study_instance_uid, studies.c.study_instance_uid, given(studies.c.accession_number))
        return sa.select(
            found.c.source_id, found.c.accession_number, found.c.study_instance_uid,
            violated(found.c.values_seen > literal(1)),
            evidence("one accession number on ", number(found.c.values_seen), " studies"))


class StudyHasAccessionNumber(Check):
    """A study without an accession number meets neither its order nor its report."""

    spec = CheckSpec(
        id="IDN208", name="The study has an accession number", severity=Severity.WARNING, category="identity",
        definition="Denominator: studies of every source that gives accession numbers at all. Violated where Accession "
                   "Number (0008,0050) is empty.",
        citation="DICOM PS3.3 2024e, C.7.2.1 General Study Module, Accession Number (0008,0050) Type 2; IHE Radiology, "
                 "Scheduled Workflow (SWF)",
        fix_technologist="Choose the patient from the worklist; for an exam done before its order, link the study to "
                         "the order as soon as there is one.",
        fix_administrator="Compare devices: a high rate on one means that its worklist query fails or is passed over. "
                          "Reconcile the studies to their orders.",
    )

    def candidates(self) -> sa.Select[Any]:
        number_given = given(studies.c.accession_number)
        return sa.select(
            studies.c.source_id, studies.c.study_instance_uid, violated(sa.not_(number_given)),
            evidence("Accession Number is empty"),
        ).where(in_source_that_gives(studies.c.accession_number, number_given))
