"""What `benchmarks.scale` measured, as tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

BOUND = 0.5
Sizes = dict[str, dict[str, Any]]


def _ordered(held: Sizes) -> list[tuple[str, dict[str, Any]]]:
    return sorted(held.items(), key=lambda item: int(item[0]))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _ratio(value: float | None, peer: float) -> str:
    return f"{value / peer:,.1f}" if value is not None and peer > 0 else "–"


def _all_sizes(held: Sizes) -> Iterator[str]:
    sizes = _ordered(held)
    yield "## How it grows: seconds of all reads of a page together"
    yield ""
    yield _row("page", *(f"{line['studies']:,} studies, {line['series']:,} series" for _, line in sizes))
    yield _row("---", *("---:" for _ in sizes))
    for page in sizes[0][1]["kept"]:
        yield _row(page, *(f"{line['kept'][page]['reads']:.3f}" for _, line in sizes))
    yield _row("**the slowest**", *(f"**{max(page['reads'] for page in line['kept'].values()):.3f}**"
                                    for _, line in sizes))
    yield _row("what keeping the answers cost when the snapshot was published",
               *(f"{line['answers']:,.0f}" for _, line in sizes))
    yield ""


def _one_size(line: dict[str, Any]) -> Iterator[str]:
    yield f"## {line['studies']:,} studies, {line['series']:,} series, {line['exams']:,} exams ({line['machine']})"
    yield ""
    yield _row("page", "reads", "of them run on the tables", "all reads, s", "page with charts, s",
               "without kept answers, s", "one site, 52 weeks: reads, s", "PostgreSQL, the same selects, s",
               "PostgreSQL / DuckDB")
    yield _row("---", *["---:"] * 8)
    for page, kept in line["kept"].items():
        plain, there = line["plain"][page], line.get("postgres", {}).get(page)
        yield _row(page, str(kept["asked"]), str(kept["run"]), f"{kept['reads']:.3f}", f"{kept['page']:.2f}",
                   f"{plain:.2f}", f"{line['narrowed'][page]['reads']:.2f}",
                   f"{there:.2f}" if there is not None else "–", _ratio(there, plain))
    yield ""
    yield ("The main select of a page beside the same on PostgreSQL (once), and beside pandas with its columns "
           "already in memory (which reads nothing: a head start); answers of pandas and of the metric compared:")
    yield ""
    yield _row("page", "metric", "DuckDB, s", "PostgreSQL, s", "PostgreSQL / DuckDB", "pandas, s", "pandas / DuckDB",
               "largest difference, relative")
    yield _row("---", "---", *["---:"] * 6)
    for page, one in line["pandas"].items():
        there = one.get("postgres")
        yield _row(page, str(one.get("metric", "")), f"{one['duckdb']:.3f}", f"{there:.2f}" if there else "–",
                   _ratio(there, one["duckdb"]), f"{one['pandas']:.3f}", _ratio(one["pandas"], one["duckdb"]),
                   f"{one['differ']:.1e}")
    yield ""


def tables(held: Sizes) -> list[str]:
    """Return the lines of the whole document."""
    return [
        "# Pages at scale", "",
        "Made by `python -m benchmarks.scale`: a hospital of a million studies, and a network of 5 and of 20 like it. "
        "Each page is opened as a reader opens it, with nothing remembered from before. Seconds differ from machine to "
        "machine; ratios are of one run. \"Without kept answers\" and PostgreSQL run each select once.", "",
        *_all_sizes(held), *(text for _, line in _ordered(held) if "plain" in line
          for text in _one_size(line)),
        *(line["note"] for _, line in _ordered(held) if "note" in line), "",
    ]
