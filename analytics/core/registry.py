"""The catalog: every metric and every check, registered under a permanent id by its own declaration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from analytics.core.errors import PacsmeterError

Item = TypeVar("Item")


class Registry(Generic[Item]):
    """Things by permanent id, in the order of their ids.

    Parameters
    ----------
    noun : str
        What one of them is called in an error: ``metric``, ``check``.
    """

    def __init__(self, noun: str) -> None:
        self._noun = noun
        self._items: dict[str, Item] = {}

    def add(self, item_id: str, item: Item) -> None:
        """Register an item; an id is given once and never again."""
        if item_id in self._items:
            raise ValueError(f"{self._noun} id {item_id!r} is used twice; ids are permanent and unique")
        self._items[item_id] = item

    def __getitem__(self, item_id: str) -> Item:
        try:
            return self._items[item_id]
        except KeyError:
            raise PacsmeterError(
                f"There is no {self._noun} {item_id!r}",
                f"`pacsmeter {self._noun} list` shows every id.",
            ) from None

    def __iter__(self) -> Iterator[Item]:
        return (self._items[item_id] for item_id in sorted(self._items))

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._items
