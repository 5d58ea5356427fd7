"""How often the forecast's intervals hold on simulated histories: ``python -m benchmarks.forecast_coverage``.

Writes the table of ``docs/forecast-coverage.md`` to the screen; a run of 200 histories takes two to three minutes.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np

from analytics.metrics.forecast_backtest import back_test
from analytics.metrics.forecast_models import LEVEL, draw_shared
from benchmarks.forecast_histories import KINDS, Array, simulate

HORIZONS = (3, 12, 24)
FRACTIONS = (0.025, 0.1, 0.9, 0.975)
HOW = {"forecast": "the forecast: all models by their shares", "best": "the best model alone",
       "level": "local level with drift alone"}


@dataclass(frozen=True)
class Held:
    """Whether intervals of the bytes of so many months held: of shape (histories, horizons), and widths in percent."""

    held80: Array
    held95: Array
    width80: Array


def measure(kind: str, seeds: range, how: tuple[str, ...] = tuple(HOW), paths: int = 1000) -> dict[str, Held]:
    """Forecast simulated histories in each way, and see whether the intervals held what followed."""
    rows: dict[str, list[tuple[Array, Array, Array]]] = {name: [] for name in how}
    for seed in seeds:
        known, followed = simulate(kind, seed)
        came = np.cumsum(followed)[[months - 1 for months in HORIZONS]]
        tried = back_test(known, np.ones(len(known)))
        shares = {"forecast": tried.shares, "best": {tried.best: 1.0}, "level": {LEVEL.id: 1.0}}
        for name in how:
            sums = np.cumsum(draw_shared(known, shares[name], len(followed), paths=paths), axis=1)
            low95, low80, high80, high95 = np.quantile(sums[:, [months - 1 for months in HORIZONS]], FRACTIONS, axis=0)
            rows[name].append(((low80 <= came) & (came <= high80), (low95 <= came) & (came <= high95),
                               100 * (high80 - low80) / came))
    return {name: Held(*(np.array(part, dtype=float) for part in zip(*items, strict=True)))
            for name, items in rows.items()}


def table(found: dict[str, dict[str, Held]], name: str) -> list[str]:
    """Return the lines of one table: a row a kind of history, and one of all."""
    heads = [f"{percent} %: {months} months" for percent in (80, 95) for months in HORIZONS]
    heads += [f"width: {months} months" for months in HORIZONS]
    lines = [f"| histories | {' | '.join(heads)} |", f"|---|{'---:|' * len(heads)}"]
    every = {words: [found[kind][name]] for kind, words in KINDS.items()}
    for words, parts in {**every, "all": [part for items in every.values() for part in items]}.items():
        held = [100 * np.concatenate([getattr(part, which) for part in parts]).mean(axis=0)
                for which in ("held80", "held95")]
        width = np.median(np.concatenate([part.width80 for part in parts]), axis=0)
        cells = [f"{value:.0f}" for value in np.concatenate([*held, width])]
        lines.append(f"| {words} | {' | '.join(cells)} |")
    return lines


def main() -> None:
    """Measure, and print one table a way of forecasting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=40, help="histories of each kind")
    parser.add_argument("--first", type=int, default=0, help="first seed")
    chosen = parser.parse_args()
    found = {kind: measure(kind, range(chosen.first, chosen.first + chosen.each)) for kind in KINDS}
    for name, words in HOW.items():
        print(f"\n**{words[0].upper()}{words[1:]}** ({chosen.each * len(KINDS)} histories)\n")
        print("\n".join(table(found, name)))


if __name__ == "__main__":
    main()
