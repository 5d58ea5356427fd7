"""The house: floors, file sizes, licences, and a catalog in which nothing is undocumented."""

from __future__ import annotations

import ast
import importlib.metadata
import itertools
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support import ROOT

FORBIDDEN_IN_PAGES = {"sqlalchemy", "duckdb", "pandas", "pydicom", "numpy", "pyarrow"}
PAGES = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))]
SOURCES = [path for folder in ("analytics", "pages", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")]


def test_each_floor_imports_only_floors_below() -> None:
    done = subprocess.run([Path(sys.executable).with_name("lint-imports")], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_stays_under_300_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_is_thin(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) < 80
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(text))
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import)
                     else [node.module or ""] if isinstance(node, ast.ImportFrom) else [])
    }
    assert not imported & FORBIDDEN_IN_PAGES


def test_nothing_that_ships_is_gpl() -> None:
    """LGPL libraries are used unchanged, as wheels of their own; GPL would reach our own code."""
    gpl = []
    for dist in importlib.metadata.distributions():
        said = " ".join([dist.metadata.get("License-Expression") or "", (dist.metadata.get("License") or "")[:200],
                         *(dist.metadata.get_all("Classifier") or [])])
        if re.search(r"(?<![LA-Z])A?GPL|(?<!Lesser )General Public License", said):
            gpl.append(dist.metadata["Name"])
    assert gpl == []


def test_the_lock_holds_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *itertools.chain(*project["optional-dependencies"].values())]
    locked = {re.split(r"[=\s]", line)[0] for line in (ROOT / "requirements.lock").read_text().splitlines()
              if re.match(r"[a-z0-9]", line)}
    names = {re.split(r"[\[><=~! ]", item)[0].lower().replace("_", "-") for item in wanted}
    assert names - locked == set()


def test_the_repository_names_no_registry_host() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "http" not in lock and "index-url" not in lock
