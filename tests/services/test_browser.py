"""The app in a real browser, on a small demo hospital: every page, a filter, a mark, a study, a workbook."""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Download,
    Locator,
    Page,
    Request,
    TimeoutError,
    expect,
    sync_playwright,
)

from analytics.ui.navigation import BY_TITLE
from tests.conftest import free_port
from tests.demo_home import load_small_demo
from tests.support import ROOT, need, which

INSTALL = "apt-get install chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
SLOW = 120_000
IDLE = "[data-testid='stApp'][data-test-script-state='notRunning']"
FAULTS = "[data-testid='stAlertContentError'], [data-testid='stException']"

pytestmark = pytest.mark.service("browser")


@dataclass
class Server:
    """The app as a process of its own."""

    address: str
    log: Path


@dataclass
class Watched:
    """A page, and what went wrong on it that nobody sees."""

    page: Page
    wrong: list[str] = field(default_factory=list)

    def note_message(self, message: ConsoleMessage) -> None:
        # Streamlit looks for its own health below the page's address first, and then above it.
        if message.type == "error" and "/_stcore/" not in message.location["url"]:
            self.wrong.append(f"console: {message.text}")

    def note_outside(self, request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")):
            self.wrong.append(f"asked a server outside: {request.url}")


@pytest.fixture(scope="module")
def chromium() -> str:
    return need(which("chromium", "/usr/lib/chromium") or which("chromium-browser"), "Chromium", INSTALL)


@pytest.fixture(scope="module")
def server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Load a small demo and serve it on a free port of loopback."""
    folder = tmp_path_factory.mktemp("browser")
    settings = load_small_demo(folder / "home")
    port, log = free_port(), folder / "server.log"
    environment = {**os.environ, "PACSMETER_HOME": str(settings.home)}
    ready = threading.Event()
    with subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port),
             "--server.address", "127.0.0.1", "--logger.level", "info"],
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        reader = threading.Thread(target=_keep, args=(process, log, ready))
        reader.start()
        try:
            assert ready.wait(60), log.read_text()
            yield Server(f"http://127.0.0.1:{port}", log)
        finally:
            process.terminate()
            reader.join()


def _keep(process: subprocess.Popen[str], log: Path, ready: threading.Event) -> None:
    """Write what the server says into its log, and tell when it says that it serves."""
    with log.open("w") as output:
        for line in process.stdout or ():
            output.write(line)
            output.flush()
            if "URL:" in line:
                ready.set()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(params=["light", "dark"])
def watched(request: pytest.FixtureRequest, server: Server, browser: Browser) -> Iterator[Watched]:
    """Give the overview in a browser of its own; afterwards nothing may have gone wrong, here or on the server."""
    context = browser.new_context(color_scheme=request.param, viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(SLOW)
    expect.set_options(timeout=SLOW)
    found = Watched(page)
    page.on("console", found.note_message)
    page.on("pageerror", lambda error: found.wrong.append(f"page: {error}"))
    page.on("request", found.note_outside)
    page.goto(server.address)
    settled(page, "Overview")
    yield found
    context.close()
    assert found.wrong == []
    log = server.log.read_text()
    assert not re.search(r"ERROR|CRITICAL|Traceback|could not be shown", log), log


def settled(page: Page, title: str) -> None:
    """Wait until a page has been drawn whole, and look for anything it says is wrong."""
    expect(page.locator(".pm-head h1")).to_have_text(title)
    expect(page.locator(IDLE)).to_be_attached()
    expect(page.locator(FAULTS)).to_have_count(0)


def open_page(page: Page, title: str) -> None:
    """Follow the link to a page in the sidebar."""
    page.get_by_test_id("stSidebar").get_by_role("link", name=title, exact=True).click()
    settled(page, title)


def test_every_page_opens_and_says_that_it_is_a_demo(watched: Watched) -> None:
    for title in BY_TITLE:
        open_page(watched.page, title)
        expect(watched.page.get_by_text("Demo hospital: invented data.")).to_be_visible()


def test_the_page_has_the_colors_of_the_reader(watched: Watched) -> None:
    dark = watched.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")

    expect(watched.page.get_by_test_id("stApp")).to_have_css(
        "background-color", "rgb(18, 23, 30)" if dark else "rgb(255, 255, 255)")


def test_a_filter_changes_the_figures_and_the_address(watched: Watched) -> None:
    page = watched.page
    open_page(page, "Volume")
    modality = page.get_by_test_id("stMultiSelect").filter(has_text="Modality")
    modality.get_by_role("combobox").click()
    page.get_by_role("option", name="CT", exact=True).click()
    page.keyboard.press("Escape")

    expect(page).to_have_url(re.compile(r"modalities=CT"))
    settled(page, "Volume")
    expect(page.locator(".js-plotly-plot").first.locator(".legendtext")).to_have_text(["CT"])
    page.reload()
    settled(page, "Volume")
    expect(modality.get_by_text("CT", exact=True)).to_be_visible()


def test_a_mark_leads_to_its_studies_and_on_to_one_study(watched: Watched) -> None:
    page = watched.page
    open_page(page, "Volume")
    card = page.locator(".js-plotly-plot").filter(has_text="Studies by modality").first
    card.scroll_into_view_if_needed()
    bar = card.locator(".bars .point path").first
    expect(bar).to_be_visible()
    # Plotly's own layer lies above its marks: click where the bar is, not on its element.
    place = bar.bounding_box()
    assert place
    page.mouse.click(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    heading = page.get_by_text(re.compile(r"[\d,]+ studies behind DX"))
    expect(heading).to_be_visible()
    settled(page, "Volume")

    table = page.get_by_test_id("stDataFrame").filter(visible=True).first
    expect(table).to_be_visible()
    table.scroll_into_view_if_needed()
    # The table is a canvas: the button is the first cell of the first row.
    box = table.bounding_box()
    assert box
    page.mouse.move(box["x"] + 60, box["y"] + 52)
    expect(table.locator("canvas").first).to_have_css("cursor", "pointer")
    page.mouse.click(box["x"] + 60, box["y"] + 52)
    settled(page, "Study")
    expect(page).to_have_url(re.compile(r"/study\?find=\d"))
    expect(page.get_by_text("What happened", exact=True)).to_be_visible()
    assert len(page.context.pages) == 1


def test_a_study_opens_by_the_keyboard_and_the_way_back_keeps_the_filters(watched: Watched) -> None:
    page = watched.page
    page.goto(re.sub(r"[^/]*$", "consistency?modalities=CT", page.url))
    settled(page, "Consistency")
    link = page.get_by_role("link", name="Open study", exact=True).first
    link.focus()
    page.keyboard.press("Enter")
    settled(page, "Study")
    expect(page).to_have_url(re.compile(r"/study\?find="))

    page.get_by_role("link", name="Back to Consistency").click()
    settled(page, "Consistency")
    expect(page).to_have_url(re.compile(r"modalities=CT"))
    modality = page.get_by_test_id("stMultiSelect").filter(has_text="Modality")
    expect(modality.get_by_text("CT", exact=True)).to_be_visible()


def test_a_month_of_a_check_leads_to_its_findings(watched: Watched) -> None:
    page = watched.page
    open_page(page, "Consistency")
    chart = page.locator(".js-plotly-plot").last
    chart.scroll_into_view_if_needed()
    worst = chart.evaluate("""chart => {
        const marks = chart.calcdata[0].map(mark => mark.y);
        return marks.indexOf(Math.max(...marks));
    }""")
    place = chart.locator(".scatterlayer .trace").first.locator(".point").nth(worst).bounding_box()
    assert place
    page.mouse.click(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)

    expect(page.get_by_text(re.compile(r"[\d,]+ findings? of \w+ · \w{3} \d{4}"))).to_be_visible()


def _downloaded(page: Page, button: Locator) -> Download:
    """Click until a download begins: a click in the moment in which the page is drawn anew is lost."""
    for _ in range(3):
        with contextlib.suppress(TimeoutError):
            with page.expect_download(timeout=30_000) as download:
                button.click()
            return download.value
    raise AssertionError("three clicks began no download")


def test_a_workbook_downloads_and_opens(watched: Watched) -> None:
    page = watched.page
    open_page(page, "Volume")
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    page.get_by_text("What this means, and its table").first.click()
    excel = page.get_by_role("button", name="Excel").first
    expect(excel).to_be_visible()
    settled(page, "Volume")  # a download's address changes with each run of the page
    book = openpyxl.load_workbook(io.BytesIO(_downloaded(page, excel).path().read_bytes()))

    assert book.sheetnames == ["Studies by period", "About"]
    header = [cell.value for cell in book["Studies by period"][1]]
    first = [cell.value for cell in book["Studies by period"][2]]
    assert header[:3] == ["period", "modality", "studies"]
    assert isinstance(first[2], int)


def test_what_needs_attention_leads_to_its_page(watched: Watched) -> None:
    page = watched.page
    page.get_by_test_id("stMain").get_by_test_id("stPageLink-NavLink").first.click()

    expect(page.locator(".pm-head h1")).not_to_have_text("Overview")
    expect(page.locator(IDLE)).to_be_attached()
    expect(page.locator(FAULTS)).to_have_count(0)


def test_a_finding_stands_beside_its_image(watched: Watched) -> None:
    page = watched.page
    open_page(page, "Image quality")

    expect(page.get_by_test_id("stImage").locator("img").first).to_be_visible()
