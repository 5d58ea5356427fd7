"""A report as a PDF document: blocks of content in, pages out. Typst sets the pages, with fonts of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from importlib import resources
from typing import Literal

import typst

from analytics.reporting.workbook import About

DEMO_NOTICE = "Demo hospital: every number in this report is of an invented hospital."
Tone = Literal["error", "warning", "info"]


@dataclass(frozen=True)
class Section:
    """A heading."""

    title: str
    kind: str = field(default="section", init=False)


@dataclass(frozen=True)
class PageBreak:
    """The next block begins a page."""

    kind: str = field(default="page", init=False)


@dataclass(frozen=True)
class Prose:
    """A paragraph."""

    text: str
    kind: str = field(default="prose", init=False)


@dataclass(frozen=True)
class Tile:
    """One figure with its label."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Tiles:
    """Figures side by side."""

    tiles: tuple[Tile, ...]
    kind: str = field(default="tiles", init=False)


@dataclass(frozen=True)
class Remark:
    """One thing that needs attention."""

    head: str
    text: str = ""
    tone: Tone = "info"


@dataclass(frozen=True)
class Remarks:
    """Things that need attention, the most urgent first."""

    lines: tuple[Remark, ...]
    kind: str = field(default="remarks", init=False)


@dataclass(frozen=True)
class Chart:
    """A picture of numbers, as SVG."""

    title: str
    svg: str
    caption: str = ""
    kind: str = field(default="chart", init=False)


@dataclass(frozen=True)
class Table:
    """Rows of text; ``aligns`` is ``left``, ``tight`` (left, and no wider than its text) or ``right``."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    aligns: tuple[str, ...]
    title: str = ""
    caption: str = ""
    small: bool = False
    kind: str = field(default="table", init=False)


@dataclass(frozen=True)
class Terms:
    """Terms and what they mean."""

    lines: tuple[tuple[str, str], ...]
    kind: str = field(default="terms", init=False)


Block = Section | PageBreak | Prose | Tiles | Remarks | Chart | Table | Terms


def table(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]], title: str = "", caption: str = "",
          *, small: bool = False) -> Table:
    """Make a table from (name, alignment) pairs and rows of text."""
    return Table(tuple(name for name, _ in columns), tuple(tuple(row) for row in rows),
                 tuple(align for _, align in columns), title, caption, small)


def written(instant: datetime) -> str:
    """Write an instant as a report does: ``3 Nov 2026, 12:00 UTC``."""
    return f"{instant.day} {instant:%b %Y, %H:%M %Z}".strip()


def pdf(about: About, kicker: str, subtitle: str, blocks: Sequence[Block]) -> bytes:
    """Set a report on A4 pages.

    Parameters
    ----------
    about : About
        Title, snapshot, filters, dates, and whether the data is the demo's; its lines end the report.
    kicker : str
        The small line over the title.
    subtitle : str
        The line under the title: period and filters.
    blocks : sequence of Block
        The content, in order.
    """
    ending: list[Block] = [Section("About this report"), Terms(tuple(about.rows()))]
    report = {
        "title": about.title, "kicker": kicker, "subtitle": subtitle,
        "notice": DEMO_NOTICE if about.is_demo else "",
        "footer": f"{about.title} · snapshot {about.revision} · made at {written(about.made_at)}"
                  + (" · demo data" if about.is_demo else ""),
        "blocks": [asdict(block) for block in (*blocks, *ending)],
    }
    template = resources.files(__package__).joinpath("document.typ").read_bytes()
    made = typst.compile(template, sys_inputs={"report": json.dumps(report)}, ignore_system_fonts=True)
    if not isinstance(made, bytes):
        raise TypeError("a PDF is one file")
    return made
