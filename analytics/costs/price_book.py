"""The price book: every price and physical figure a cost rests on, with its unit, source and date.

A site edits it: as a CSV file, on the cost-benefit page, or in the workbook's Inputs sheet.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Self

from analytics.core.errors import PacsmeterError

UNSOURCED = "assumption – replace with your quote"
COLUMNS = ("id", "item", "value", "unit", "currency", "source", "date", "note")
TIERS: dict[str, str] = {
    "hot": "hot storage", "infrequent": "infrequent-access storage", "instant": "instant-retrieval archive",
    "flexible": "flexible archive", "deep": "deep archive",
}
TIER_FIGURES = ("storage", "retrieval", "transition", "minimum_days", "minimum_object", "overhead")


@dataclass(frozen=True)
class Price:
    """One line of the price book.

    Attributes
    ----------
    id : permanent id, by which formulas name it.
    item : what is bought, in words.
    value : price or figure, in ``unit``.
    unit : UCUM, with the ISO 4217 code where money is meant: ``USD/(GB.mo)``.
    currency : ISO 4217, empty where the figure is not money.
    source : where it comes from; `UNSOURCED` where nobody has quoted it yet.
    date : the day the source gives it for.
    note : what a reader must know beside it.
    """

    id: str
    item: str
    value: float
    unit: str
    currency: str
    source: str
    date: date
    note: str = ""

    @property
    def is_assumed(self) -> bool:
        """Whether nobody has quoted this price."""
        return self.source.startswith("assumption")


@dataclass(frozen=True)
class PriceBook:
    """Every price, by id, in the order of the file."""

    prices: tuple[Price, ...]
    _by_id: dict[str, Price] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        currencies = {price.currency for price in self.prices if price.currency}
        object.__setattr__(self, "_by_id", {price.id: price for price in self.prices})
        if len(currencies) > 1:
            raise PacsmeterError(
                f"The price book mixes currencies ({', '.join(sorted(currencies))})",
                "Convert every price to one currency; pacsmeter does not convert money.", "price book",
            )

    def __iter__(self) -> Iterator[Price]:
        return iter(self.prices)

    def __getitem__(self, price_id: str) -> float:
        """Return a price's value."""
        return self.price(price_id).value

    def price(self, price_id: str) -> Price:
        """Return a whole line."""
        try:
            return self._by_id[price_id]
        except KeyError:
            raise PacsmeterError("The price book has no such price",
                                 "Add the row, or start from the book that ships.", price_id) from None

    @property
    def currency(self) -> str:
        """Return the one currency of the book (ISO 4217)."""
        return next(price.currency for price in self.prices if price.currency)

    @property
    def assumed(self) -> tuple[Price, ...]:
        """Return the prices that nobody has quoted."""
        return tuple(price for price in self.prices if price.is_assumed)

    def with_price(self, price_id: str, value: float, source: str, day: date) -> Self:
        """Return a copy in which one price is another, with its own source and date."""
        changed = replace(self.price(price_id), value=_number(str(value), f"price {price_id}"), source=source, date=day)
        if not source.strip():
            raise PacsmeterError("A price needs its source", "Say where it comes from: a quote, a list, a bill.",
                                 price_id)
        return replace(self, prices=tuple(changed if old.id == price_id else old for old in self.prices))

    def scaled(self, factors: Mapping[str, float]) -> Self:
        """Return a copy with some prices multiplied: for sensitivity, not for keeping."""
        return replace(self, prices=tuple(
            replace(price, value=price.value * factors[price.id]) if price.id in factors else price
            for price in self.prices))

    def to_csv(self) -> str:
        """Write the book as CSV text that `read_price_book` reads back the same."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for price in self.prices:
            writer.writerow([getattr(price, name) for name in COLUMNS])
        return text.getvalue()


def _number(text: str, record: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0:
        raise PacsmeterError(f"The value {text!r} is not a number of zero or more",
                             "Write it with a decimal point and no thousands separator, such as 1250.50.", record)
    return value


def _price(row: dict[str, str], record: str) -> Price:
    for name in ("id", "item", "value", "unit", "source", "date"):
        if not row[name].strip():
            raise PacsmeterError(f"The column {name!r} is empty", "Every price needs it.", record)
    try:
        day = date.fromisoformat(row["date"].strip())
    except ValueError:
        raise PacsmeterError(f"The date {row['date']!r} cannot be read", "Write it as 2026-05-31.",
                             f"{record}, column 'date'") from None
    currency = row["currency"].strip()
    if currency and not (len(currency) == 3 and currency.isascii() and currency.isupper()):
        raise PacsmeterError(f"The currency {currency!r} is not an ISO 4217 code", "Write it as USD, GBP or EUR.",
                             f"{record}, column 'currency'")
    return Price(id=row["id"].strip(), item=row["item"], value=_number(row["value"], f"{record}, column 'value'"),
                 unit=row["unit"].strip(), currency=currency, source=row["source"], date=day, note=row["note"])


def read_price_book(text: str, record: str = "price book") -> PriceBook:
    """Read a price book from CSV text; an error names the row and the column."""
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline=""), restval="")
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise PacsmeterError(f"The price book lacks the column {missing[0]!r}",
                             f"Its first row is: {','.join(COLUMNS)}", record)
    prices: dict[str, Price] = {}
    for row in reader:
        where = f"{record}, line {reader.line_num}"
        price = _price(row, where)
        if price.id in prices:
            raise PacsmeterError(f"The price {price.id!r} is there twice", "Keep one of the two rows.", where)
        prices[price.id] = price
    absent = [price_id for price_id in _needed() if price_id not in prices]
    if absent:
        raise PacsmeterError(f"The price book lacks the price {absent[0]!r}",
                             "Add the row; the book that ships shows every one.", record)
    return PriceBook(tuple(prices.values()))


def _shipped() -> str:
    return resources.files(__package__).joinpath("price_book.csv").read_text(encoding="utf-8")


def _needed() -> list[str]:
    return [row["id"] for row in csv.DictReader(io.StringIO(_shipped()))]


def load_price_book(path: Path | None = None) -> PriceBook:
    """Read a site's price book, or the one that ships.

    Parameters
    ----------
    path : Path, optional
        CSV file with the columns `COLUMNS`, UTF-8.

    Raises
    ------
    PacsmeterError
        Where the file cannot be read; the error names the row and the column.
    """
    if path is None:
        return read_price_book(_shipped(), "price_book.csv")
    try:
        return read_price_book(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise PacsmeterError(f"The price book cannot be read ({type(error).__name__})",
                             "Give the path of a UTF-8 CSV file.", str(path)) from error
