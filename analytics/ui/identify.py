"""Asking who a patient is, on the Study page: for those who may, and nothing at all for everybody else."""

from __future__ import annotations

import streamlit as st

from analytics.core.errors import PacsmeterError
from analytics.identify import identify, may_identify
from analytics.ui import cache
from analytics.ui.access import signed_in
from analytics.ui.shell import Page
from analytics.ui.widgets import title


def who_is_this(page: Page, study_instance_uid: str) -> None:
    """Ask the source for the patient of a study; the answer is on the page until its next run, and kept nowhere."""
    who = signed_in()
    if not who or not may_identify(page.settings, who):
        return
    with st.form("identify", clear_on_submit=True):
        title("Who is this patient?", "The source is asked now. The audit trail records who asked and why.")
        reason = st.text_input("Reason", placeholder="Call the patient back: images incomplete")
        if not st.form_submit_button("Who is this patient?"):
            return
        try:
            found = identify(page.warehouse, cache.ledger(), page.settings, who=who, reason=reason,
                             study_instance_uid=study_instance_uid)
        except PacsmeterError as error:
            st.error(str(error), icon=":material/error:")
            return
        for one in found:
            st.text(f"{one.patient_name or '(no name)'} · born {one.patient_birth_date or '(not known)'} · "
                    f"PatientID {one.patient_id or '(none)'}")
