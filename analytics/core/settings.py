"""Settings, from environment variables ``PACSMETER_*`` or a ``pacsmeter.env`` file; no secret has a default."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from holidays import list_supported_countries
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from analytics.core.database_url import parse_url
from analytics.core.errors import PacsmeterError


class Settings(BaseSettings):
    """What a site can set.

    Attributes
    ----------
    home : folder of everything this installation keeps (warehouse, ledger, key, demo).
    warehouse_url : SQLAlchemy URL; empty means the DuckDB warehouse under ``home``.
    ledger_url : SQLAlchemy URL; empty means the SQLite ledger under ``home``.
    site_zone : IANA zone of the site's clocks; times without an offset are read in it.
    keep_snapshots : how many published snapshots are kept.
    key_file : file with the site's pseudonym key; empty means ``home/pseudonym.key``.
    birth_date : what is kept of a birth date: ``year``, the ``age`` at the exam alone, or ``none`` of it.
    identify_users : who may ask a source for the patient behind a pseudonym; nobody where empty.
    holidays : country of the public holidays (ISO 3166-1), and its part where they differ: ``GB-ENG``; empty: none.
    business_hours : hours of the reading day, Monday to Friday, on the site's clock: ``7:30-19``.
    currency : ISO 4217 code of money.
    memory_limit : what DuckDB may use.
    """

    model_config = SettingsConfigDict(env_prefix="PACSMETER_", env_file="pacsmeter.env", extra="ignore")

    home: Path = Path("var")
    warehouse_url: SecretStr = SecretStr("")
    ledger_url: SecretStr = SecretStr("")
    site_zone: str = "Europe/London"
    keep_snapshots: Annotated[int, Field(ge=2, le=50)] = 4
    key_file: Path | None = None
    birth_date: Literal["year", "age", "none"] = "year"
    identify_users: str = ""
    holidays: str = ""
    business_hours: str = "8-18"
    currency: str = "USD"
    memory_limit: Annotated[str, Field(pattern=r"^\d+(\.\d+)?\s?([KMGT]i?)?B$")] = "2GB"
    workers: Annotated[int, Field(ge=1, le=256)] = 2

    @field_validator("site_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{value!r} is not an IANA time zone, such as Europe/London") from error
        return value

    @field_validator("holidays")
    @classmethod
    def _known_country(cls, value: str) -> str:
        nation, _, part = value.partition("-")
        parts = list_supported_countries().get(nation)
        if value and (parts is None or (part and part not in parts)):
            raise ValueError(f"{value!r} is not a country or a part of one, such as GB or GB-ENG")
        return value

    @property
    def warehouse(self) -> str:
        """Return the warehouse's URL, with the default filled in."""
        return self.warehouse_url.get_secret_value() or f"duckdb:///{self.home / 'warehouse'}"

    @property
    def ledger(self) -> str:
        """Return the ledger's URL, with the default filled in."""
        return self.ledger_url.get_secret_value() or f"sqlite:///{self.home / 'ledger.sqlite'}"

    @property
    def pseudonym_key_file(self) -> Path:
        """Return the file that holds the site's pseudonym key.

        Raises
        ------
        PacsmeterError
            It lies in the warehouse's folder: whoever has a copy of both can try every id until one fits.
        """
        path = self.key_file or self.home / "pseudonym.key"
        url = parse_url(self.warehouse, "PACSMETER_WAREHOUSE_URL")
        folder = Path(url.database or "warehouse")
        if url.get_backend_name() == "duckdb" and path.resolve().is_relative_to(folder.resolve()):
            raise PacsmeterError("The pseudonym key lies in the warehouse's folder, and would go into its backups",
                                 "Move it elsewhere and set PACSMETER_KEY_FILE to it.", str(path))
        return path


def load_settings() -> Settings:
    """Read the settings; a bad one is one clear line that names it."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "PACSMETER_" + "_".join(str(part) for part in first["loc"]).upper()
        raise PacsmeterError(f"A setting is not usable: {first['msg']}", "Correct it and try again.", name) from None
