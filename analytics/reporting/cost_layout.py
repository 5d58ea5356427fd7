"""Where things stand in the cost workbook, and how they look."""

from __future__ import annotations

from typing import Any

from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook

from analytics.costs.options import LINES
from analytics.reporting.cost_sheet import QUANTITIES
from analytics.reporting.workbook import ACCENT

YEAR_ROW, FIRST_YEAR_COLUMN = 6, 2
"""Row (as Excel counts, from 1) of an option's sheet that holds the years; column (from 0) of year 0."""

ROWS: dict[str, int] = {"year": YEAR_ROW}
"""Row of each quantity and cost line on an option's sheet; one row stands free between the two."""
ROWS.update({name: YEAR_ROW + index for index, name in enumerate(QUANTITIES, start=1)})
ROWS.update({name: YEAR_ROW + len(QUANTITIES) + 1 + index for index, name in enumerate(LINES, start=1)})
TOTAL_ROW = max(ROWS.values()) + 1


class Styles:
    """The few looks of the workbook: what is typed in is blue on yellow, what is computed is plain."""

    def __init__(self, book: Workbook, currency: str) -> None:
        def look(**properties: Any) -> Format:
            return book.add_format(properties)

        money = f'"{currency}"\\ #,##0;[Red]-"{currency}"\\ #,##0'
        self.title = look(bold=True, font_size=16, font_color=ACCENT)
        self.head = look(bold=True, font_color="white", bg_color=ACCENT, text_wrap=True, valign="top")
        self.label, self.wrap = look(), look(text_wrap=True, valign="top")
        self.input = look(font_color="#0000FF", bg_color="#FFF9DB", border=1, border_color="#D9D9D9",
                          num_format="General")
        self.number, self.factor, self.money = look(num_format="#,##0"), look(num_format="0.0000"), look(
            num_format=money)
        self.total = look(num_format=money, bold=True, top=1)
        self.percent, self.years, self.ratio = (
            look(num_format=text, align="right") for text in ("0.0%", "0.0", "0.00"))
        self.cents = look(num_format=f'"{currency}"\\ #,##0.00')
        self.bold, self.warning = look(bold=True), look(font_color="#9C5700", italic=True, text_wrap=True)
