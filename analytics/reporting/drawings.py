"""A drawing that can be written down: which figure, with what; so that a chart can be pinned and drawn again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from analytics.core.errors import PacsmeterError
from analytics.core.results import MetricResult
from analytics.reporting import figures, open_exams, outlook, queues, volume_figures, waterfall

_MODULES = (figures, open_exams, outlook, queues, volume_figures, waterfall)


@dataclass(frozen=True)
class Drawing:
    """How a result is drawn.

    Attributes
    ----------
    function : a function of a module of figures, as ``figures.bars``.
    arguments, options : what it is given after the result; plain values, lists and mappings of them.
    """

    function: str
    arguments: tuple[Any, ...]
    options: dict[str, Any]

    def __call__(self, result: MetricResult) -> go.Figure:
        """Draw a result."""
        return _function(self.function)(result, *self.arguments, **self.options)

    def to_json(self) -> str:
        """Write it down."""
        return json.dumps([self.function, self.arguments, self.options])


def drawing(function: Callable[..., go.Figure], *arguments: Any, **options: Any) -> Drawing:
    """Return a function of this package's figures, with its arguments, as something that can be written down."""
    return Drawing(f"{function.__module__.rpartition('.')[2]}.{function.__name__}", arguments, options)


def drawing_of(text: str) -> Drawing:
    """Read a drawing that was written down.

    Raises
    ------
    PacsmeterError
        This version draws nothing of that name.
    """
    function, arguments, options = json.loads(text)
    _function(function)
    return Drawing(function, tuple(arguments), options)


def _function(name: str) -> Callable[..., go.Figure]:
    module_name, _, function = name.partition(".")
    module = next((one for one in _MODULES if one.__name__.endswith(f".{module_name}")), None)
    found = getattr(module, function, None) if module and not function.startswith("_") else None
    if found is None or getattr(found, "__module__", "") != getattr(module, "__name__", None):
        raise PacsmeterError("A pinned chart is drawn in a way that this version does not know",
                             "Take it off the overview and pin it again.", name)
    return found
