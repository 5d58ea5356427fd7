"""Errors as the user reads them: what happened, to which record, what to do."""

from __future__ import annotations


class PacsmeterError(Exception):
    """One clear line: what happened, to which record, and what to do about it.

    Parameters
    ----------
    what : str
        What happened, in the user's words; never a patient's name.
    remedy : str
        What the user can do now.
    record : str, optional
        The record, file or setting that it happened to.
    """

    def __init__(self, what: str, remedy: str, record: str = "") -> None:
        self.what, self.remedy, self.record = what, remedy, record
        super().__init__(str(self))

    def __str__(self) -> str:
        where = f" [{self.record}]" if self.record else ""
        return f"{self.what.rstrip('.')}{where}. {self.remedy}"
