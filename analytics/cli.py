"""The command line: ``pacsmeter``. Exit status 0 done, 1 findings where ``--fail-on`` asks, 2 could not run."""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
import typer
from typer.exceptions import TyperException

from analytics import __version__
from analytics.commands.listen import listen_command
from analytics.commands.patients import audit, identify
from analytics.commands.snapshots import warehouse_app
from analytics.core.database_url import parse_url, shown_url
from analytics.core.errors import PacsmeterError
from analytics.core.fault_log import log_unforeseen, places_alone
from analytics.core.filters import Filters
from analytics.core.findings import Outcome
from analytics.core.settings import load_settings
from analytics.terminal import (
    Interruption,
    known_filters,
    out,
    print_loads,
    print_table,
    shown_progress,
    stop,
)
from analytics.warehouse.store import open_store, open_warehouse

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
                  help="Analytics and quality assurance for picture archives (PACS).")
metric_app = typer.Typer(no_args_is_help=True, help="What can be measured, and its figures.")
app.add_typer(metric_app, name="metric")
app.add_typer(warehouse_app, name="warehouse")
app.command()(identify)
app.command()(audit)
app.command("listen")(listen_command)

From = Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First exam date.")]
To = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last exam date.")]
Sites = Annotated[list[str] | None, typer.Option("--site", help="Only this site (repeat for more).")]
Modalities = Annotated[list[str] | None, typer.Option("--modality", help="Only this modality, such as CT.")]
Devices = Annotated[list[str] | None, typer.Option("--device", help="Only this scanner's station name.")]
_STOPPED = "Stopped. The last snapshot is as it was; the same command goes on from here."
_INTERRUPTED = 130  # what typer makes of Ctrl-C
_APP_FILE = Path(__file__).resolve().parents[1] / "app.py"


@app.command()
def demo(
    seed: Annotated[int, typer.Option(help="The same seed gives the same hospital, byte for byte.")] = 2026,
    scale: Annotated[float, typer.Option(min=0.001, max=100, help="1 is about 150,000 studies.")] = 1.0,
    folder: Annotated[Path, typer.Option("--out", help="Where the export, events and truth file go.")] = Path("demo"),
) -> None:
    """Write a demo hospital: index export, events, images, and the truth about its planted faults.

    Example: pacsmeter demo --seed 7 --scale 0.1 --out demo
    """
    from analytics.demo.hospital import generate

    with shown_progress() as progress:
        generate(folder, seed=seed, scale=scale, progress=progress)
    out.print(f"A demo hospital is in {folder}; truth.json lists what was planted.", highlight=False)


@app.command()
def load(
    sources: Annotated[list[str], typer.Argument(
        help="demo, a folder of DICOM files, a source file (.toml), or the URL of an archive or of messages.")],
    site: Annotated[str | None, typer.Option(help="Site that a folder or an archive belongs to.")] = None,
    source_id: Annotated[str | None, typer.Option("--id", help="Permanent name of the source.")] = None,
    since: Annotated[datetime | None, typer.Option(
        formats=["%Y-%m-%d"], help="First study date to ask an archive for; else all it has.")] = None,
    series: Annotated[bool, typer.Option(
        help="Ask an archive by DICOMweb or C-FIND for the series of each study too, a question a study.")] = True,
    zone: Annotated[str, typer.Option(help="Time zone of times without an offset, such as Europe/London.")] = "",
    demo_scale: Annotated[float | None, typer.Option("--demo-scale", min=0.001, max=100,
                                              help="Size of the demo hospital: 1 is about 150,000 studies.")] = None,
    if_empty: Annotated[bool, typer.Option("--if-empty", help="Do nothing where a snapshot is there.")] = False,
) -> None:
    """Load sources into the next snapshot; again any time: what has not changed is not read twice.

    Example: pacsmeter load archive.toml ris.toml /data/images
    """
    from analytics.refresh import demo_sources, refresh
    from analytics.sources.namesakes import refuse_namesakes
    from analytics.sources.open import open_source

    settings = load_settings()
    store = open_store(settings)
    if if_empty and store.current_revision():
        out.print(f"Snapshot {store.current_revision()} is loaded already.", highlight=False)
        return
    with shown_progress() as progress:
        if sources == ["demo"]:
            opened = demo_sources(settings, scale=demo_scale, progress=progress)
        else:
            opened = [open_source(spec, settings, site=site, source_id=source_id or "", zone=zone,
                                  since=since.date() if since else None, series=series) for spec in sources]
            refuse_namesakes(store, opened, [bool(source_id) or spec.endswith(".toml") for spec in sources])
        # Names, not what was typed: a URL can hold a password, and the note is kept and shown.
        note = f"load {', '.join(source.source_id for source in opened)}"
        report = refresh(store, settings, opened, note=note, progress=progress)
    with open_warehouse(settings) as warehouse:
        print_loads(warehouse, report.loads)
    violated = sum(run.outcome is Outcome.VIOLATED for run in report.checks)
    out.print(f"{report.images_measured:,} images measured; {violated} checks have findings.", highlight=False)


@app.command()
def check(
    fail_on: Annotated[Literal["never", "error", "warning", "info"], typer.Option(
        help="End with status 1 where findings this severe, or worse, exist.")] = "never",
    ids: Annotated[list[str] | None, typer.Option("--id", help="Only this check, such as IDN203.")] = None,
    findings: Annotated[int, typer.Option(min=0, help="Print so many findings of each check.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    truth: Annotated[Path | None, typer.Option(
        help="truth.json of a demo hospital: print recall and false positives of each planted fault.")] = None,
) -> None:
    """Say what each check found in the snapshot: how many rows it looked at, how many violate it.

    Example: pacsmeter check --fail-on error
    """
    from analytics.checks.catalog import CHECKS
    from analytics.checks.recall import compare_with_truth, read_truth
    from analytics.checks.results import check_summary, findings_of

    for check_id in ids or ():
        if check_id not in CHECKS:
            raise PacsmeterError(f"There is no check {check_id!r}", "`pacsmeter check` shows every id.")
    with open_warehouse(load_settings()) as warehouse:
        if truth is not None:
            recall = compare_with_truth(warehouse, read_truth(truth))
            shown = recall[["check_id", "kind", "planted", "found", "recall", "false_positives"]]
            print_table(shown, "What was planted, and what was found", {"recall": "%"})
            return
        summary = check_summary(warehouse, Filters())
        if ids:
            summary = summary[summary["check_id"].isin(ids)]
        if as_json:
            typer.echo(summary.to_json(orient="records", indent=1))
        else:
            shown = summary[["check_id", "name", "severity", "violated", "denominator", "rate", "outcome"]]
            print_table(shown, f"Checks of snapshot {warehouse.revision}", {"rate": "%"})
        for check_id in summary.loc[summary["violated"] > 0, "check_id"] if findings else ():
            found = findings_of(warehouse, check_id, limit=findings)
            print_table(found[["study_instance_uid", "path", "station_name", "found_date", "evidence"]], check_id)
    ranks = ["error", "warning", "info"]
    severe = ranks[: ranks.index(fail_on) + 1] if fail_on in ranks else []
    if ((summary["violated"] > 0) & summary["severity"].isin(severe)).any():
        raise typer.Exit(1)


@metric_app.command("list")
def metric_list() -> None:
    """List every metric with its id, unit and definition.

    Example: pacsmeter metric list
    """
    from analytics.metrics.catalog import METRICS

    print_table(pd.DataFrame([{"id": item.spec.id, "name": item.spec.name, "unit": item.spec.unit,
                               "definition": item.spec.definition} for item in METRICS]))


@metric_app.command("show")
def metric_show(
    metric_id: Annotated[str, typer.Argument(help="The metric's id; `pacsmeter metric list` shows them.")],
    start: From = None, end: To = None, site: Sites = None, modality: Modalities = None, device: Devices = None,
    form: Annotated[Literal["table", "csv", "json"], typer.Option("--format", help="How to print it.")] = "table",
) -> None:
    """Compute one metric and say what it means, what it left out and why.

    Example: pacsmeter metric show turnaround.acr_grid --from 2026-01-01 --site North --format csv
    """
    from analytics.metrics.catalog import METRICS

    metric = METRICS[metric_id]
    with open_warehouse(load_settings()) as warehouse:
        result = metric.compute(warehouse, known_filters(warehouse, start, end, site, modality, device))
    if form == "csv":
        typer.echo(result.frame.to_csv(index=False), nl=False)
    elif form == "json":
        typer.echo(json.dumps({
            "id": metric_id, "unit": result.spec.unit, "n": result.n, "revision": result.revision,
            "left_out": [{"reason": item.reason, "n": item.n} for item in result.left_out],
            "rows": json.loads(result.frame.to_json(orient="records", date_format="iso")),
        }, indent=1))
    else:
        units = {column: result.unit_of(column) for column in [result.value, *result.units]}
        print_table(result.frame, str(result), units)
        for line in (result.spec.definition, f"Source: {result.spec.citation}", *result.notes):
            out.print(line, highlight=False)


@app.command()
def report(
    report_id: Annotated[str, typer.Argument(help="board or cost_benefit.")],
    target: Annotated[Path, typer.Option("--out", help="File to write: .pdf or .xlsx.")],
    start: From = None, end: To = None, site: Sites = None, modality: Modalities = None, device: Devices = None,
) -> None:
    """Write a report as PDF or Excel workbook.

    Example: pacsmeter report board --out board.pdf
    """
    from analytics.reporting.report import make_report

    settings = load_settings()
    with open_warehouse(settings) as warehouse:
        asked = known_filters(warehouse, start, end, site, modality, device)
        content = make_report(report_id, target.suffix.lstrip(".").lower(), warehouse, asked, settings)
    try:
        target.write_bytes(content)
    except OSError as error:
        raise PacsmeterError(
            f"The report cannot be written ({error.strerror})", "Name another file.", str(target)) from None
    out.print(f"{target} ({len(content):,} bytes)", highlight=False)


@app.command()
def status() -> None:
    """Say what is loaded: the snapshot, its sources, how fresh they are.

    Example: pacsmeter status
    """
    from analytics.metrics.catalog import METRICS

    settings = load_settings()
    with open_warehouse(settings) as warehouse:
        result = METRICS["sources.freshness"].compute(warehouse, Filters())
        named = {"source_id": "source", "last_loaded_at": "loaded (UTC)", "latest_at": "latest (UTC)",
                 "studies": "studies", "events": "events", "quarantined": "left out"}
        shown = result.frame[list(named)].rename(columns=named)
        where = shown_url(parse_url(settings.warehouse, "PACSMETER_WAREHOUSE_URL"))
        print_table(shown, f"Snapshot {warehouse.revision} in {where}", result.units)


@app.command("app")
def run_app() -> None:
    """Start the pages in a browser; Streamlit's own variables, such as STREAMLIT_SERVER_PORT, are honoured.

    Example: STREAMLIT_SERVER_PORT=8600 pacsmeter app
    """
    settings = load_settings()
    os.environ["PACSMETER_HOME"] = str(settings.home.resolve())
    os.chdir(_APP_FILE.parent)
    os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", _APP_FILE.name])


def _version(value: bool) -> None:
    if value:
        typer.echo(f"pacsmeter {__version__}")
        raise typer.Exit


@app.callback()
def _root(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False) -> None: ...


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; whatever goes wrong is one clear line and a status, never a traceback."""
    with places_alone(_log_folder()):
        _run(arguments)


def _log_folder() -> Path:
    return Path(os.environ.get("PACSMETER_HOME", "var")) / "log"


def _run(arguments: list[str] | None) -> None:
    interruption = Interruption.watched()
    try:
        status_code: Any = app(args=arguments, standalone_mode=False)
    except PacsmeterError as error:
        stop(str(error))
    except (typer.Abort, KeyboardInterrupt):
        stop(_STOPPED)
    except TyperException as error:
        if not str(error):  # the help itself was the answer
            sys.exit(2)
        shown = error.format_message() if isinstance(error, typer.BadParameter) else str(error)
        stop(f"{shown.replace('Value error, ', '').rstrip('.')}. `pacsmeter --help` shows what there is.")
    except Exception as error:
        if interruption.asked:
            stop(_STOPPED)
        log = log_unforeseen(error, _log_folder())
        stop(f"Something went wrong that pacsmeter did not foresee ({type(error).__name__}). "
              f"The last snapshot is as it was; where it happened is in {log}. Please report it.")
    else:
        if status_code == _INTERRUPTED:
            stop(_STOPPED)
        sys.exit(status_code if isinstance(status_code, int) else 0)
