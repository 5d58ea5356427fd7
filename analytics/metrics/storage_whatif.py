"""What if: the day each archive fills, and what it will hold, under a retention rule and with lossless compression."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
import sqlalchemy as sa

from analytics.core.compression import JPEG_LS_CITATION, JPEG_LS_RATIOS, saved_share
from analytics.core.filters import Filters
from analytics.core.quantity import BYTES, PERCENT, format_quantity
from analytics.core.results import MetricResult, MetricSpec
from analytics.core.terms import TRANSFER_SYNTAXES
from analytics.metrics.archives import archive_of, read_archives
from analytics.metrics.base import METRICS, metric
from analytics.metrics.fill_days import day_after, months_to_full
from analytics.metrics.forecast import Outlook, histories, outlook
from analytics.metrics.projection import FEWEST_MONTHS
from analytics.metrics.retention import RULES, Rule, judged
from analytics.metrics.scope import aggregate
from analytics.metrics.storage import SIZE_UNKNOWN, added_on, size_known, stored_in
from analytics.metrics.whatif_paths import Change, Content, changed_paths
from analytics.warehouse.expressions import literal, total
from analytics.warehouse.schema import exams
from analytics.warehouse.store import Warehouse

Compress = Literal["nothing", "new", "all"]
HORIZON_MONTHS = 60
LEARNT_MONTHS = 12
AS_NOW, BOTH = "As now", "Retention and compression"
COMPRESSED: dict[Compress, str] = {"new": "New studies compressed", "all": "New and old studies compressed"}
YEARS = {"in_1_year": 12, "in_3_years": 36, "in_5_years": 60}
_DAYS = ("fills", "fills_early", "fills_late")
_COLUMNS = ("archive", "scenario", *YEARS, "lower80", "upper80", "freed", *_DAYS, "chance")
_SEEN_AGAIN = {
    "nhs": "No patient is taken to come back. Those who do keep their studies for longer, so that less would go: what "
           "is freed is the most that the rule could free.",
    "us_mammography": "No patient is taken to come back. A later mammogram lets the earlier ones go after 5 years, so "
                      "that more would go.",
    "archive": "The dates that the archive holds today are taken to stay as they are.",
}


@metric(MetricSpec(
    "storage.what_if", "Held in 5 years, what if",
    "Bytes an archive will hold at the end of the 12th, 36th and 60th month ahead (the median of the forecast's paths; "
    "of the 60th also the middle 80 %), and the day it fills, as now and if from now on studies went as they fall due "
    "under a retention rule, uncompressed studies were compressed losslessly (new ones, or old ones as well), or both. "
    "Only what is held in an uncompressed transfer syntax and of a modality whose ratio was measured becomes smaller. "
    "Nothing is deleted or changed. Only the site filter applies, and only to the choice of archives.",
    BYTES, "neutral", f"{JPEG_LS_CITATION}; {'; '.join(rule.citation for rule in RULES.values())}"))
def what_if(warehouse: Warehouse, filters: Filters, rule: Rule = "nhs", compress: Compress = "new") -> MetricResult:
    """Compare what each archive will hold as now, under a rule, compressed, and both.

    Returns
    -------
    MetricResult
        Columns ``archive``, ``scenario``, ``in_1_year``, ``in_3_years``, ``in_5_years``, ``lower80``, ``upper80`` (of
        the last), ``freed`` (in 5 years, against as now), ``fills`` with ``fills_early`` and ``fills_late`` (80 %
        interval; empty beyond the horizon), ``chance`` of filling within it (percent). The headline is what all
        archives together hold in 5 years with all that is asked for (the sum of their medians). The first notes say it
        in words, the others what is assumed.
    """
    seen = [one for history in histories(warehouse, filters) if (one := outlook(history, HORIZON_MONTHS))]
    spec = METRICS["storage.what_if"].spec
    if not seen:
        return MetricResult(
            spec, pd.DataFrame(columns=list(_COLUMNS)), "in_5_years", ("archive", "scenario"), 0, warehouse.revision,
            notes=(f"A what-if needs an archive of known capacity and {FEWEST_MONTHS} whole months.",))
    scope = stored_in(warehouse, Filters())
    held = _held(warehouse, rule, seen[0].history.start)
    changes = _changes(rule, compress)
    frame = pd.DataFrame([
        row for one in seen for row in _scenarios(one, _content(held[held.archive == one.history.name],
                                                                one.history.start), changes)
    ], columns=list(_COLUMNS)).astype(dict.fromkeys(_DAYS, "datetime64[us]"))
    last = frame[frame.scenario == list(changes)[-1]]
    return MetricResult(
        spec, frame, "in_5_years", ("archive", "scenario"), len(seen), warehouse.revision, {"chance": PERCENT},
        scope.left_out({SIZE_UNKNOWN: sa.not_(size_known)}), None, float(last.in_5_years.sum()),
        (*_said(frame, seen), *_assumed(held, rule, compress, seen)))


def _changes(rule: Rule, compress: Compress) -> dict[str, Change]:
    changes = {AS_NOW: Change(), f"Retention, {RULES[rule].name}": Change(retention=True)}
    if compress != "nothing":
        old = compress == "all"
        changes[COMPRESSED[compress]] = Change(compress_new=True, compress_old=old)
        changes[BOTH] = Change(retention=True, compress_new=True, compress_old=old)
    return changes


def _held(warehouse: Warehouse, rule: Rule, start: pd.Timestamp) -> pd.DataFrame:
    """Read the bytes held by archive, modality, whether uncompressed, the month they fall due, and that they came in.

    The months are counted from year 0; the one they came in is given for the last whole months alone.
    """
    scope = stored_in(warehouse, Filters())
    found = judged(RULES[rule], scope.last_day)
    plain = [literal(syntax.uid) for syntax in TRANSFER_SYNTAXES.values() if not syntax.compressed]
    recent = sa.and_(added_on >= (start - pd.DateOffset(months=LEARNT_MONTHS)).date(), added_on < start.date())
    month = (sa.cast(sa.extract("year", added_on), sa.Integer) * literal(12)
             + sa.cast(sa.extract("month", added_on), sa.Integer))
    rows = scope.rows(
        size_known, size_bytes=exams.c.size_bytes, archive=archive_of(read_archives(warehouse, Filters())),
        plain=sa.func.coalesce(exams.c.transfer_syntax_uid, literal("")).in_(plain),
        kept_until=sa.case((found.population, _hundreds(found.kept_until))), came=sa.case((recent, month)),
    ).select_from(found.source)
    frame = warehouse.read(aggregate(rows, ("archive", "modality", "plain", "kept_until", "came"),
                                     lambda c: {"bytes": total(c.size_bytes)}))
    until = frame.pop("kept_until").astype("float64")
    frame["due"] = until // 100 * 12 + until % 100
    frame["came"] = frame.came.astype("float64")
    saves = np.array([saved_share(name if isinstance(name, str) else None) for name in frame.modality])
    frame["bytes"] = frame.bytes.astype("float64")
    frame["saved"] = frame.bytes * saves * frame.plain.astype(bool)
    return frame


def _hundreds(number: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.cast(sa.func.floor(number / literal(100.0)), sa.Integer)


def _content(held: pd.DataFrame, start: pd.Timestamp) -> Content:
    """Sum what one archive holds by the month it falls due, and what came of late by how long it is kept."""
    came = held.dropna(subset=["came"])
    whole = float(came.bytes.sum()) or 1.0
    ahead, kept = held.due - (start.year * 12 + start.month), came.due - came.came
    return Content(
        _by_month(held.bytes, ahead), _by_month(held.saved, ahead), float(held.saved.sum()),
        _by_month(came.bytes, kept) / whole, _by_month(came.saved, kept) / whole, float(came.saved.sum()) / whole)


def _by_month(values: pd.Series, months: pd.Series) -> np.ndarray:
    """Sum values by the number of months; none is below 0, and what lies beyond the horizon is not there."""
    inside = months < HORIZON_MONTHS
    place = months[inside].clip(lower=0).astype("int64")
    return np.bincount(place, weights=values[inside], minlength=HORIZON_MONTHS).astype("float64")


def _scenarios(one: Outlook, content: Content, changes: dict[str, Change]) -> list[dict[str, Any]]:
    history, paths = one.history, one.projection.paths
    found = []
    for name, change in changes.items():
        used = changed_paths(paths, float(history.used[-1]), float(history.current), content, change)
        full = months_to_full(used, float(history.used[-1]), history.capacity, history.current, history.gone)
        early, median, late = (day_after(history.start, float(np.quantile(full, fraction, method="inverted_cdf")))
                               for fraction in (0.1, 0.5, 0.9))
        found.append({
            "archive": history.name, "scenario": name,
            **{column: float(np.median(used[:, months - 1])) for column, months in YEARS.items()},
            "lower80": float(np.quantile(used[:, -1], 0.1)), "upper80": float(np.quantile(used[:, -1], 0.9)),
            "freed": float(np.median(paths[:, -1] - used[:, -1])), "fills": median, "fills_early": early,
            "fills_late": late, "chance": 100 * float(np.isfinite(full).mean())})
    return found


def _said(frame: pd.DataFrame, seen: list[Outlook]) -> list[str]:
    return [_sentence(one, rows.iloc[0], rows.iloc[-1])
            for one, (_, rows) in zip(seen, frame.groupby("archive", sort=False), strict=True)]


def _sentence(one: Outlook, now: Any, then: Any) -> str:
    """Say of one archive what all that is asked for would change."""
    def fills(day: pd.Timestamp) -> str:
        return f"fills on {day.day} {day:%b %Y}" if not pd.isna(day) else "does not fill within 5 years"

    history = one.history
    is_full = history.used[-1] + history.current >= history.capacity
    stays_full = is_full and not pd.isna(then.fills) and then.fills < history.start + pd.DateOffset(months=1)
    as_now = f"{history.name} is full" if is_full else f"{history.name} {fills(now.fills)} as now"
    change = then.scenario[:1].lower() + then.scenario[1:]
    if then.freed < 1:
        return f"{as_now}; {change} would change nothing within 5 years."
    return (f"{as_now}; with {change} it {'still is' if stays_full else fills(then.fills)}, and in 5 years it holds "
            f"{format_quantity(then.freed, BYTES)} less.")


def _assumed(held: pd.DataFrame, rule: Rule, compress: Compress, seen: list[Outlook]) -> list[str]:
    came = held.dropna(subset=["came"])
    said = [
        f"Forecast: {'; '.join(dict.fromkeys(one.projection.model for one in seen))}. Its paths are drawn for "
        f"{HORIZON_MONTHS} months here, so that a day may differ a little from the forecast's own.",
        f"Retention, {RULES[rule].name}: what is due already goes in the first month, the rest in the month it falls "
        "due; what the rule cannot be applied to, and what was stored before the index begins, stays. New studies are "
        f"kept as long as those of the last {LEARNT_MONTHS} whole months. {_SEEN_AGAIN[rule]}",
    ]
    if compress != "nothing":
        ratios = ", ".join(f"{name} {ratio:g}" for name, ratio in JPEG_LS_RATIOS.items())
        share = 100 * float(came.saved.sum()) / (float(came.bytes.sum()) or 1.0)
        said.append(
            f"Compression: JPEG-LS without loss at the mean ratio of each modality ({ratios}; Clunie 2000); your own "
            f"images may compress otherwise. It would have saved {share:.1f} % of the bytes of the last "
            f"{LEARNT_MONTHS} whole months, and is taken to save as much of those to come. Of what is held it would "
            f"save {format_quantity(float(held.saved.sum()), BYTES)}"
            + (", all in the first month." if compress == "all" else ", which is not counted: old studies stay."))
    return said
