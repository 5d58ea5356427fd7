"""The demo hospital in one place: its sites, scanners, dates, what goes wrong and how often.

Nothing here is real: hospitals, makers, people and numbers are invented. Where a figure follows a published
one, the source stands beside it; the others are assumptions of this demo.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

ZONE = "Europe/London"
START = date(2023, 11, 1)
END = date(2026, 10, 31)
"""Last day of the demo: everything that would happen later has not happened yet."""

STUDIES_AT_SCALE_1 = 150_000
HORIZON_DAYS = 45
"""How far ahead of END appointments are already booked."""

ARCHIVE_SOURCE, RIS_SOURCE = "demo-archive", "demo-ris"
LOG_SOURCE = "demo-scanner-log"
IMAGES_SOURCE, REAL_IMAGES_SOURCE = "demo-qa-images", "pydicom-samples"


@dataclass(frozen=True)
class Site:
    """A hospital of the group."""

    name: str
    institution_name: str
    archive: str


SITES = (
    Site("Northgate", "Northgate General Hospital", "NGH-ARCHIVE"),
    Site("Southmoor", "Southmoor Teaching Hospital", "STH-ARCHIVE"),
    Site("Westbrook", "Westbrook Community Hospital", "WCH-ARCHIVE"),
)


@dataclass(frozen=True)
class Station:
    """A scanner: its share is of its modality's exams; one without weekends is closed on holidays too."""

    name: str
    site: int
    modality: str
    manufacturer: str
    model: str
    share: float
    weekends: bool = True


STATIONS = (
    Station("NGHCT1", 0, "CT", "Aurelia Medical", "Helios 64", 0.28),
    Station("NGHCT2", 0, "CT", "Aurelia Medical", "Helios 128", 0.22),
    Station("STHCT1", 1, "CT", "Nordlys Imaging", "Axis CT", 0.20),
    Station("STHCT2", 1, "CT", "Nordlys Imaging", "Axis CT", 0.20),
    Station("WCHCT1", 2, "CT", "Aurelia Medical", "Helios 64", 0.10),
    Station("NGHMR1", 0, "MR", "Tessera", "Magna 1.5T", 0.30),
    Station("NGHMR2", 0, "MR", "Tessera", "Magna 3T", 0.28),
    Station("STHMR1", 1, "MR", "Nordlys Imaging", "Polaris 1.5T", 0.30),
    Station("WCHMR1", 2, "MR", "Tessera", "Magna 1.5T", 0.12, weekends=False),
    Station("NGHDX1", 0, "DX", "Aurelia Medical", "Clarity DR", 0.26),
    Station("NGHDX2", 0, "DX", "Aurelia Medical", "Clarity DR", 0.20),
    Station("STHDX1", 1, "DX", "Halden X-ray", "Detector 4", 0.22),
    Station("STHDX2", 1, "DX", "Halden X-ray", "Detector 4", 0.18),
    Station("WCHDX1", 2, "DX", "Halden X-ray", "Detector 2", 0.14),
    Station("NGHCR1", 0, "CR", "Halden X-ray", "Plate 30", 0.60),
    Station("WCHCR1", 2, "CR", "Halden X-ray", "Plate 30", 0.40),
    Station("NGHUS1", 0, "US", "Sonova", "Echo 9", 0.26),
    Station("NGHUS2", 0, "US", "Sonova", "Echo 9", 0.22),
    Station("STHUS1", 1, "US", "Sonova", "Echo 7", 0.22),
    Station("STHUS2", 1, "US", "Tessera", "Wave", 0.18),
    Station("WCHUS1", 2, "US", "Sonova", "Echo 7", 0.12),
    Station("NGHMG1", 0, "MG", "Aurelia Medical", "Mammo 3D", 0.55, weekends=False),
    Station("STHMG1", 1, "MG", "Halden X-ray", "Mammo 2", 0.45, weekends=False),
    Station("STHRF1", 1, "RF", "Halden X-ray", "Fluoro 1", 1.0, weekends=False),
    Station("NGHXA1", 0, "XA", "Aurelia Medical", "Angio Suite", 1.0),
    Station("NGHNM1", 0, "NM", "Tessera", "Gamma 2", 1.0, weekends=False),
)
COPIES_PER_SCALE = 4.0
"""Above this scale the hospital buys a second set of scanners, and so on: a room's day has 24 hours."""

CLASSES = ("I", "O", "E")
PRIORITIES = ("S", "A", "R")


@dataclass(frozen=True)
class Modality:
    """How a modality's exams look.

    Attributes
    ----------
    mix : share of all exams (England 2013/14: XR 53.8 %, US 23.3, CT 12.1, MR 6.3, fluoroscopy 3.0, NM 1.4;
        mammography added here as an assumption).
    growth : a year (CT +7.0 %, MR +2.6 %, total +4.6 % a year in England).
    classes : shares of inpatients, outpatients, emergency.
    minutes : median exam duration (slots: MR 45 min, CT 20 min).
    images, images_sigma, image_growth : median images a study, spread (sigma of log), growth a year.
    image_kb : median size of an image before compression, in kB.
    series : mean series beyond the first.
    read_minutes : median time from ready to final report, routine priority.
    """

    mix: float
    growth: float
    classes: tuple[float, float, float]
    minutes: float
    images: float
    images_sigma: float
    image_growth: float
    image_kb: float
    series: float
    read_minutes: float


MODALITIES = {
    "DX": Modality(0.400, 0.040, (0.20, 0.45, 0.35), 6, 2, 0.35, 0.00, 9_000, 0.9, 300),
    "CR": Modality(0.105, -0.02, (0.22, 0.48, 0.30), 7, 2, 0.35, 0.00, 7_500, 0.8, 330),
    "US": Modality(0.225, 0.045, (0.22, 0.70, 0.08), 16, 38, 0.45, 0.08, 1_000, 0.5, 60),
    "CT": Modality(0.125, 0.070, (0.35, 0.35, 0.30), 14, 300, 0.55, 0.18, 520, 3.5, 240),
    "MR": Modality(0.065, 0.026, (0.17, 0.80, 0.03), 32, 320, 0.45, 0.12, 230, 6.0, 450),
    "MG": Modality(0.035, 0.030, (0.00, 1.00, 0.00), 9, 4, 0.20, 0.00, 30_000, 3.0, 1500),
    "RF": Modality(0.016, 0.000, (0.30, 0.70, 0.00), 20, 30, 0.50, 0.00, 1_400, 1.0, 150),
    "XA": Modality(0.014, 0.030, (0.60, 0.30, 0.10), 50, 15, 0.45, 0.00, 13_000, 5.0, 180),
    "NM": Modality(0.015, 0.010, (0.10, 0.90, 0.00), 28, 4, 0.40, 0.00, 750, 1.5, 700),
}
TOMOSYNTHESIS = {"share_at_start": 0.20, "share_at_end": 0.60, "size_factor": 5.8}
"""Digital breast tomosynthesis among mammograms, and how much larger such a study is."""

CANCELLED = {"I": 0.02, "O": 0.065, "E": 0.004}
NEVER_READ, READ_LATE = 0.001, 0.02
"""Never reported; and the heavy tail of routine exams that wait for more than four weeks (about 2 %)."""

_IMPLICIT, _EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
_JPEG, _JPEG_LOSSLESS, _JPEG_2000 = (f"1.2.840.10008.1.2.4.{end}" for end in ("50", "70", "90"))
_SMALLER = {_IMPLICIT: 1.0, _EXPLICIT: 1.0, _JPEG: 1.0, _JPEG_LOSSLESS: 2.2, _JPEG_2000: 2.5}


def transfer_syntax(site: int, modality: str) -> tuple[str, float]:
    """Return how a site's archive keeps a modality, and by how much that is smaller than uncompressed."""
    uid = (_IMPLICIT if modality in ("MR", "NM") else _EXPLICIT, _JPEG_2000, _JPEG_LOSSLESS)[site]
    if modality == "US":
        uid = _JPEG
    elif modality in ("MG", "NM"):
        uid = _EXPLICIT
    return uid, _SMALLER[uid]


@dataclass(frozen=True)
class ClockDrift:
    """A scanner whose clock runs ahead of the RIS, further each week."""

    station: str = "STHCT2"
    since: date = date(2026, 6, 1)
    minutes_per_week: float = 1.5


@dataclass(frozen=True)
class FailingScanner:
    """A scanner that begins to fail: longer exams, repeated series, incomplete studies, noisier images."""

    station: str = "NGHMR2"
    since: date = date(2026, 5, 4)
    ramp_days: int = 28
    duration_factor: float = 1.35
    repeats_per_study: float = 1.1
    incomplete_share: float = 0.07
    noise_percent_per_week: float = 3.0


@dataclass(frozen=True)
class FillingArchive:
    """An archive sized so that it fills on a planned date when growth goes on as measured."""

    site: int = 0
    fills_on: date = date(2027, 4, 15)


@dataclass(frozen=True)
class HolidayBacklog:
    """Readers on leave over Christmas and New Year: what is acquired then waits longer."""

    since: date = date(2025, 12, 24)
    until: date = date(2026, 1, 18)
    factor: float = 2.5


@dataclass(frozen=True)
class SlowReading:
    """A radiologist left: reading takes longer at one site from a date on."""

    site: int = 1
    since: date = date(2026, 2, 2)
    factor: float = 1.4


DRIFT, FAILING, FILLING = ClockDrift(), FailingScanner(), FillingArchive()
BACKLOG, SLOW_READING = HolidayBacklog(), SlowReading()
USED_BEFORE_TB = (6.0, 4.0, 1.5)
"""What each site's archive held before the index begins, at scale 1."""

FAULT_RATES = {
    "DCM104": 0.0002, "DCM111": 0.0002, "DCM112": 0.0003, "DCM113": 0.0003,
    "IDN201": 0.0008, "IDN202": 0.0010, "IDN203": 0.0006, "IDN204": 0.0005, "IDN205": 0.0010, "IDN206": 0.0001,
    "IDN207": 0.0005, "IDN208": 0.0020,
    "TMP301": 0.0002, "TMP302": 0.0002, "TMP303": 0.0010, "TMP304": 0.0004, "TMP305": 0.0300, "TMP307": 0.0040,
    "TMP308": 0.0004,
    "ANA501": 0.0040, "ANA502": 0.0060, "ANA503": 0.0020, "ANA504": 0.0040,
    "REC601": 0.0020, "REC602": 0.0015, "REC603": 0.0007, "REC604": 0.0005, "REC606": 0.0008, "REC607": 0.0004,
}
"""Share of the exams that could carry a fault which do; each is planted at least once where there is room."""

LOGGED_STATION, LOG_FAULT_RATE = "NGHCT1", 0.01
"""The scanner whose own log of starts and ends is a source of its own, and the share of its exams with a wrong time."""


@dataclass(frozen=True)
class InstitutionVariant:
    """After a service a scanner writes the hospital's name another way in a share of its studies."""

    station: str
    since: date
    spelling: str
    share: float = 0.3


INSTITUTION_VARIANTS = (
    InstitutionVariant("NGHUS2", date(2025, 3, 10), "Northgate Gen Hosp"),
    InstitutionVariant("STHDX2", date(2025, 9, 1), "SOUTHMOOR TEACHING HOSP."),
)
