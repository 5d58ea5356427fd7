"""A small site of HL7 messages: three orders, of which one was cancelled."""

from __future__ import annotations

from pathlib import Path

from analytics.warehouse.merge import Counts
from analytics.warehouse.schema import events, orders
from tests.sources.sites import BORN, IDS, NAMES, SECRETS, Expected, Site


def message(kind: str, number: int, at: str, *segments: str, charset: str = "") -> str:
    """Return a message about one of the three patients, its segments ended by CR."""
    msh = f"MSH|^~\\&|RIS|NORTH|PACS|NORTH|{at}||{kind}|M{number}{at}|P|2.5.1||||||{charset}"
    pid = f"PID|1||{IDS[number]}^^^NORTH^MR||{NAMES[number]}||{BORN[number]}|F"
    return "\r".join([msh, pid, *segments]) + "\r"


def order(number: int, at: str, control: str = "NW", status: str = "", start: str = "", end: str = "") -> str:
    """Return an order message of exam A1, A2 or A3."""
    accession = f"A{number + 1}"
    return message(
        "ORM^O01", number, at, "PV1|1|O", f"ORC|{control}|P{number}|F{number}||{status}||^^^^^R||{at}",
        f"OBR|1|P{number}|F{number}|CTHEAD^CT head^L|||{start}|{end}||||||||||{accession}||||||CT|||^^^^^R")


class Hl7Site(Site):
    """A folder of messages. The exam of the second patient was cancelled, and that can be taken back."""

    expected = Expected(
        first={orders: 3, events: 6},
        after_change={orders: Counts(unchanged=3), events: Counts(added=1, unchanged=6)},
        after_delete={orders: Counts(unchanged=3), events: Counts(unchanged=6, removed=1)})

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.spec = f"hl7://{folder}"
        self.write("1.hl7", *(order(number, f"2026070{number + 1}080000") for number in range(3)))
        self.write("2.hl7", order(1, "20260702090000", "CA"),
                   order(0, "20260701113000", "SC", "CM", "20260701110000", "20260701112000"))

    def write(self, name: str, *messages: str) -> None:
        (self.folder / name).write_bytes("".join(messages).encode())

    def change_one(self) -> None:
        """Another start of the first exam: its time is in the event's key, so both stay."""
        self.write("3.hl7", order(0, "20260701120000", "SC", "CM", "20260701110100", "20260701112000"))

    def delete_one(self) -> None:
        self.write("4.hl7", order(1, "20260702093000", "UC"))

    def spoil(self) -> int:
        """Add messages with identities where none belong, and files and folders that are named by them."""
        bad = f"MSH|^^^^|{NAMES[0]}\rPID|1||{IDS[0]}\r"
        for number, secret in enumerate(SECRETS):
            self.write(f"spoilt{number}.txt", message(secret, 0, "20260703080000"), bad,
                       message("ORM^O01", 1, "20260703080000", f"ORC|NW||B{number}||{secret}||||x{secret}"))
        folder = self.folder / NAMES[1].replace("^", " ") / IDS[1]
        folder.mkdir(parents=True)
        (folder / BORN[1]).write_text(order(1, "20260702080000") + bad)
        return 2 * len(SECRETS) + 1
