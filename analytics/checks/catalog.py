"""The catalog of checks: importing it imports every family, so that `CHECKS` is full."""

from __future__ import annotations

import importlib
import pkgutil

import analytics.checks
from analytics.checks.base import CHECKS

FAMILIES = ("conformance", "identity", "temporal", "geometry", "anatomy", "reconciliation", "image")
"""The categories of checks, in the order of their ids."""

for _module in pkgutil.iter_modules(analytics.checks.__path__):
    if _module.name.split("_")[0] in FAMILIES:
        importlib.import_module(f"analytics.checks.{_module.name}")

__all__ = ["CHECKS", "FAMILIES"]
