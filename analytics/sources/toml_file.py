"""A TOML file that a site writes: read so that every complaint names the file and the line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, ValidationError

from analytics.core.errors import PacsmeterError

SOURCE_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
"""What the permanent name of a source is made of."""


class Written(BaseModel):
    """A part of a file as it is written: nothing in it but what is known, nothing of another type."""

    model_config = ConfigDict(extra="forbid", strict=True)


Model = TypeVar("Model", bound=Written)


def known_zone(value: str) -> str:
    """Return the name of a time zone where it is one."""
    try:
        ZoneInfo(value)
    except (ValueError, OSError, KeyError):
        raise ValueError(f"{value!r} is not a time zone, such as Europe/London") from None
    return value


class TomlFile:
    """The text of a file, and where in it a key stands."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.text = path.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise PacsmeterError(f"The source file cannot be read ({error.strerror})", "Check its name.", str(path)
                                 ) from None
        except UnicodeDecodeError:
            raise PacsmeterError("The source file is not UTF-8 text", "Save it as UTF-8.", str(path)) from None

    def line(self, *keys: str) -> str:
        """Return the place of a key: the file, and the line where it can be found."""
        inside: tuple[str, ...] = ()
        for number, line in enumerate(self.text.splitlines(), 1):
            section = re.match(r"\s*\[([^\]]+)\]", line)
            if section:
                inside = tuple(part.strip().strip("'\"") for part in section[1].split("."))
            key = re.match(r"\s*(['\"]?)([^'\"=#]+?)\1\s*=", line)
            if (section and inside[:len(keys)] == keys) or (key and (*inside, key[2].strip()) == keys):
                return f"{self.path}, line {number}"
        return self.line(*keys[:-1]) if len(keys) > 1 else str(self.path)

    def fail(self, what: str, remedy: str, *keys: str) -> PacsmeterError:
        """Make an error about a key."""
        return PacsmeterError(what, remedy, self.line(*keys))

    def names(self) -> set[str]:
        """Return the names at the top of the file; none where it is not TOML."""
        try:
            return set(tomllib.loads(self.text))
        except tomllib.TOMLDecodeError:
            return set()

    def read_as(self, model: type[Model]) -> Model:
        """Read the whole file.

        Raises
        ------
        PacsmeterError
            It is not TOML, or does not hold what it should.
        """
        try:
            return model.model_validate(tomllib.loads(self.text))
        except tomllib.TOMLDecodeError as error:
            raise PacsmeterError(f"The source file is not valid TOML: {error}", "Correct that line.", str(self.path)
                                 ) from None
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            keys = [str(part) for part in first["loc"]]
            raise self.fail(f"{'.'.join(keys)}: {first['msg']}",
                            "ARCHITECTURE.md, \"A source file\", shows a whole one.", *keys) from None
