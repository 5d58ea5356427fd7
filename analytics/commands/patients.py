"""``pacsmeter identify`` and ``pacsmeter audit``: who a patient is, and who has asked."""

from __future__ import annotations

import os
from typing import Annotated

import pandas as pd
import typer

from analytics.core.private_file import user_name
from analytics.core.settings import load_settings
from analytics.ledger.ledger import open_ledger
from analytics.terminal import out, print_table
from analytics.warehouse.store import open_warehouse


def identify(
    reason: Annotated[str, typer.Option(help="Why; kept in the audit trail, so without the patient's name.")],
    study: Annotated[str, typer.Option(help="Study Instance UID.")] = "",
    patient: Annotated[str, typer.Option(help="Pseudonym of the patient, as the warehouse has it.")] = "",
) -> None:
    """Ask the source who a patient is; only users in PACSMETER_IDENTIFY_USERS may, and the audit trail records it.

    Example: pacsmeter identify --study 1.2.840.1 --reason "call the patient back: images incomplete"
    """
    from analytics.identify import identify as ask

    settings = load_settings()
    ledger = open_ledger(settings)
    with open_warehouse(settings) as warehouse:
        # The system's own word for who asks: $USER and $LOGNAME are what their user makes of them.
        found = ask(warehouse, ledger, settings, who=user_name(os.getuid()), reason=reason, study_instance_uid=study,
                    patient_key=patient)
    print_table(pd.DataFrame([{"patient id": one.patient_id, "name": one.patient_name,
                               "birth date": one.patient_birth_date} for one in found]))
    out.print("As the source says now; this look-up is in the audit trail.", highlight=False)


def audit() -> None:
    """Print the audit trail: who did what, to what and why; the last 200 entries, newest first.

    Example: pacsmeter audit
    """
    trail = open_ledger(load_settings()).audit_trail()
    print_table(pd.DataFrame([{"when (UTC)": f"{one.at:%Y-%m-%d %H:%M:%S}", "who": one.who, "what": one.action,
                               "to what": one.subject, "why or how": one.detail} for one in trail],
                             columns=["when (UTC)", "who", "what", "to what", "why or how"]), "Audit trail")
