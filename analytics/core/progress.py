"""Progress of long work, said to whoever shows it: a terminal, a page, or nobody."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int | None], None]
"""Called with the stage's name, how many are done, and how many there are (``None`` where unknown)."""


def silent(stage: str, done: int, total: int | None) -> None:
    """Show nothing."""
