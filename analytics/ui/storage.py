"""The part of the storage page about what is to come."""

from __future__ import annotations

from analytics.reporting import outlook
from analytics.reporting.drawings import drawing
from analytics.ui.shell import Page
from analytics.ui.widgets import choose, show_metric, told


def forecast(page: Page) -> str | None:
    """Show the forecast of one archive, of those that every view has; of all together where views share none.

    Returns the archive.
    """
    views = [list(seen.metric("storage.fill_dates").frame.archive) for seen in page.views]
    names = [name for name in views[0] if all(name in others for others in views[1:])]
    archive = choose("Forecast of", dict(zip(names, names, strict=True)), key="archive") if names else None
    show_metric(page, "storage.fill_forecast", drawing(outlook.fan), archive=archive,
                heading=f"Forecast of {archive}" if archive else "",
                said=told(page, "storage.fill_forecast", archive=archive))
    return archive


def how_sure(page: Page, archive: str | None) -> None:
    """Show how the models of the forecast did on the history of an archive, or of each."""
    show_metric(page, "storage.forecast_models", drawing(outlook.held), archive=archive, table=True,
                heading="How far the forecast can be trusted",
                said=told(page, "storage.forecast_models", archive=archive))
