"""LibreOffice as the second opinion on a workbook: it recalculates every formula with its own arithmetic."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support import need, which

ALWAYS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse">
<value>0</value></prop></item></oor:items>"""


def recalculated(workbook: Path) -> Path:
    """Recalculate every formula of a workbook; without this profile LibreOffice shows the values in the file."""
    program = need(which("soffice"), "LibreOffice Calc", "apt-get install libreoffice-calc-nogui")
    profile, out = workbook.parent / "profile", workbook.parent / "recalculated"
    (profile / "user").mkdir(parents=True, exist_ok=True)
    (profile / "user" / "registrymodifications.xcu").write_text(ALWAYS, encoding="utf-8")
    subprocess.run([program, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--convert-to",
                    "xlsx:Calc MS Excel 2007 XML", "--outdir", str(out), str(workbook)],
                   check=True, capture_output=True, timeout=120)
    return out / workbook.name
