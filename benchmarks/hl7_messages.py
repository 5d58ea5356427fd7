"""HL7 messages of a site for the benchmarks: three an exam, a file a day, as an interface engine or a listener writes.

Run: ``python -m benchmarks.hl7_messages --studies 100000``: messages a second and peak memory of reading them.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

from analytics.core.progress import silent
from analytics.core.pseudonym import Pseudonymizer
from analytics.sources.base import Known
from analytics.sources.hl7_messages import open_hl7
from analytics.sources.open import Options
from analytics.sources.patient import PatientEdge

MESSAGES_A_STUDY = 3
STUDIES_A_DAY = 400
_FIRST_DAY = datetime(2024, 1, 1)  # noqa: DTZ001 - on the clocks of the site, as its RIS writes it
_PROCEDURES = (("CTHEAD", "CT head", "CT"), ("MRKNEE", "MRI knee", "MR"), ("USABD", "US abdomen", "US"),
               ("XRCHEST", "Chest PA", "DX"))
_FAMILY = ("SMITH", "JONES", "TAYLOR", "BROWN", "WILLIAMS", "WILSON", "DAVIES", "EVANS")
_LINES_OF_REPORT = 20


def write(folder: Path, studies: int) -> int:
    """Write the order (NW), the completion (SC, CM) and the final report (ORU) of each exam; return how many.

    Parameters
    ----------
    folder : Path
        Made where it is not there.
    studies : int
        Accession numbers B0000001, B0000002, …
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = random.Random(2026)
    for first in range(0, studies, STUDIES_A_DAY):
        day = _FIRST_DAY + timedelta(days=first // STUDIES_A_DAY)
        with (folder / f"received-{day:%Y%m%d}.hl7").open("wb") as file:
            for number in range(first + 1, min(first + STUDIES_A_DAY, studies) + 1):
                for message in _exam(made, number, day + timedelta(minutes=made.randrange(7 * 60, 19 * 60))):
                    file.write(b"\x0b" + message.encode() + b"\x1c\r")
    return studies * MESSAGES_A_STUDY


def _exam(made: random.Random, number: int, ordered: datetime) -> tuple[str, str, str]:
    code, description, modality = made.choice(_PROCEDURES)
    born = datetime(1930, 1, 1) + timedelta(days=made.randrange(33_000))  # noqa: DTZ001
    pid = (f"PID|1||{made.randrange(10**7):08}^^^NORTH^MR||{made.choice(_FAMILY)}^{made.choice(_FAMILY)}^^^^^L||"
           f"{born:%Y%m%d}|{made.choice('MF')}")
    began = ordered + timedelta(minutes=made.randrange(20, 300))
    ended, signed = began + timedelta(minutes=12), began + timedelta(minutes=made.randrange(30, 2_000))

    def message(kind: str, at: datetime, orc: str, obr: str, *more: str) -> str:
        msh = f"MSH|^~\\&|RIS|NORTH|PACS|NORTH|{at:%Y%m%d%H%M%S}||{kind}|{number}{at:%H%M%S}|P|2.5.1||||||8859/1"
        return "\r".join([msh, pid, "PV1|1|O", orc, obr, *more]) + "\r"

    def obr(at: str = "", results: str = "", status: str = "") -> str:
        return (f"OBR|1|P{number}|F{number}|{code}^{description}^L|||{at}||||||||||B{number:07}||||{results}||"
                f"{modality}|{status}||^^^^^R")

    times = f"{began:%Y%m%d%H%M%S}|{ended:%Y%m%d%H%M%S}"
    report = [f"OBX|{line}|TX|{code}^{description}||No evidence of acute abnormality, line {line}.||||||F"
              for line in range(1, _LINES_OF_REPORT + 1)]
    return (message("ORM^O01", ordered, f"ORC|NW|P{number}|F{number}||||^^^^^R||{ordered:%Y%m%d%H%M%S}", obr("|")),
            message("ORM^O01", ended, f"ORC|SC|P{number}|F{number}||CM", obr(times)),
            message("ORU^R01", signed, f"ORC|RE|P{number}|F{number}||CM", obr(times, f"{signed:%Y%m%d%H%M%S}", "F"),
                    *report))


def main() -> None:
    """Write a site and read it; print what that took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=100_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        messages = write(Path(folder), asked.studies)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        source = open_hl7(f"hl7://{folder}", Options(PatientEdge(Pseudonymizer(bytes(range(32)))), "Europe/London"))
        start, computed = time.perf_counter(), time.process_time()
        rows = sum(batch.rows.num_rows for batch in source.batches(Known(), silent))
        seconds, computed = time.perf_counter() - start, time.process_time() - computed
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{messages:,} messages, {rows:,} rows: {seconds:.1f} s ({computed:.1f} s of one core, "
          f"{messages / computed:,.0f} messages a second of it), "
          f"peak {peak:,.0f} MB ({peak - before:,.0f} more than before)")


if __name__ == "__main__":
    main()
