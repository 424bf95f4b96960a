"""The HTML report in a real browser: Debian's Chromium, without any network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import needs
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tracecheck.cli import main

CAPTURES = Path(__file__).parent.parent / "captures"
pytestmark = needs.chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    switches = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=needs.CHROMIUM, args=switches)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three captures: one that fails twice, a clean one, and one with a name that would be a script if it could."""
    folder = tmp_path_factory.mktemp("report")
    hostile = folder / "<img src=x onerror=\"document.title='caught'\">.sr"
    hostile.write_bytes((CAPTURES / "synthetic" / "synthetic-lost-wake.sr").read_bytes())
    captures = [CAPTURES / "pico" / "pico-hog-executor.sr", CAPTURES / "pico" / "pico-clean-mixed-two-pin.sr", hostile]
    out = folder / "report.html"
    asked = ["--expect", "irq.begin -> wake < 100us", "--expect", "irq.begin <- wire < 20us"]
    assert main(["analyze", *map(str, captures), *asked, "--format", "html", "-o", str(out), "-q"]) == 1
    return out


def opened(browser: Browser, report: Path, scheme: str) -> tuple[Page, list[str]]:
    """The page, and what went wrong in it: messages of the console, errors, and requests for anything but itself."""
    page = browser.new_page(color_scheme=scheme, viewport={"width": 1200, "height": 900})
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: wrong.append(request.url) if request.url != report.as_uri() else None)
    page.goto(report.as_uri())
    return page, wrong


def until(page: Page, holds: str, arg: object = None) -> None:
    """Asks from outside: the page's own policy forbids `wait_for_function` to ask a second time."""
    for _ in range(200):
        if page.evaluate(holds, arg):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"not within ten seconds: {holds}")


def test_what_was_measured_is_seen_in_a_narrow_window(browser: Browser, report: Path) -> None:
    """A drawing that does not fit is scrolled to it; one that fits stays as it is."""
    page, wrong = opened(browser, report, "light")
    measure = """() => [...document.querySelectorAll("details.rule[open] figure.scroll")].flatMap((figure) => {
        const span = figure.querySelector("path.span, polygon.here");
        if (!span) return [];
        const seen = figure.getBoundingClientRect();
        return [[figure.scrollLeft, span.getBoundingClientRect().right - seen.left, seen.width]];
    })"""
    assert all(scrolled == 0 and right <= width for scrolled, right, width in page.evaluate(measure))
    page.set_viewport_size({"width": 420, "height": 900})
    page.reload()
    # Each rule places its own drawings, when the browser tells it that it is open.
    until(page, f"({measure})().every(([, right, width]) => 0 < right && right <= width)")
    placed = page.evaluate(measure)
    assert len(placed) >= 3 and all(0 < right <= width for _, right, width in placed)
    assert not wrong
    page.close()


def test_it_opens_filters_and_jumps(browser: Browser, report: Path) -> None:
    page, wrong = opened(browser, report, "light")
    findings = page.locator(".finding")
    total = findings.count()
    assert total >= 3 and page.inner_text("#count") == f"{total} findings"
    assert page.title().startswith("3 captures:")

    page.keyboard.press("j")
    first = page.evaluate("document.activeElement.id")
    page.keyboard.press("j")
    second = page.evaluate("document.activeElement.id")
    assert first == findings.nth(0).get_attribute("id") and second == findings.nth(1).get_attribute("id")
    assert page.evaluate("location.hash") == f"#{second}"
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.id") == first

    page.keyboard.press("/")
    page.keyboard.type("0x3C 31 bytes")
    until(page, f"document.querySelector('#count').textContent === '1 of {total} findings'")
    assert page.locator(".finding:visible").count() == 1
    page.keyboard.press("Escape")
    assert page.inner_text("#count") == f"{total} findings"
    page.fill("#filter", "no such words")
    page.wait_for_selector("#nothing:visible")
    page.fill("#filter", "")

    page.locator("svg.overview a").nth(1).click()
    # The page marks it when the browser tells of the new address, which is later than the click.
    until(
        page,
        "old => location.hash !== '#' + old && location.hash === '#' + document.querySelector('.current').id",
        arg=first,
    )
    page.keyboard.press("?")
    assert page.locator("dialog").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("dialog").is_visible()
    assert wrong == []
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_colours_follow_the_system(browser: Browser, report: Path, scheme: str) -> None:
    page, wrong = opened(browser, report, scheme)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    ink = page.evaluate("getComputedStyle(document.querySelector('svg.wave text.value')).fill")
    bright = [sum(int(n) for n in colour[4:-1].split(",")) > 384 for colour in (ground, ink)]
    assert bright == ([True, False] if scheme == "light" else [False, True])
    assert wrong == []
    page.close()


def test_it_fits_a_phone_and_paper(browser: Browser, report: Path) -> None:
    page, wrong = opened(browser, report, "light")
    page.set_viewport_size({"width": 380, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF-")
    assert wrong == []
    page.close()
