"""The page of a report as a browser shows it."""

import base64
import itertools
import json
import re
from pathlib import Path

import pytest
import reports

from lit.report import page
from lit.suites.suite import Expected

pytestmark = pytest.mark.slow

ALL_PARTS = [
    "warnings", "headline", "notes", "figures", "classes", "confusions", "gallery", "calibration", "few-shot", "gap",
    "time", "excluded", "seal", "reproduce",
]  # fmt: skip


@pytest.fixture(scope="module")
def pages():
    thousand = reports.classification(1000, 50_000, title="ImageNet")
    nasty = reports.classification(
        10, 500, names=reports.NASTY, title=reports.NASTY[0], suite="'\"><b>", altered=reports.NASTY,
        expected=(Expected(model="LiT-B16B_2", metric="top1", value=0.7, source="a paper", protocol="clip"),),
    )  # fmt: skip
    return {
        "full": page(reports.full(), gallery=reports.gallery(), gap=reports.gap()),
        "thousand": page(thousand, gallery=reports.gallery(3, thousand.class_names), gap=reports.gap(path=True)),
        "two": page(reports.classification(2, 400, predictions=False)),
        "retrieval": page(reports.retrieval()),
        "nasty": page(nasty, gallery=reports.gallery(10, reports.NASTY)),
    }


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("full", ALL_PARTS),
        ("thousand", [p for p in ALL_PARTS if p not in ("warnings", "notes", "few-shot", "excluded")]),
        ("two", ["headline", "figures", "classes", "confusions", "calibration", "time", "seal", "reproduce"]),
        ("retrieval", ["headline", "figures", "time", "seal", "reproduce"]),
        (
            "nasty",
            ["headline", "figures", "classes", "confusions", "gallery", "calibration", "time", "seal", "reproduce"],
        ),
    ],
)
def test_parts_are_there_and_nothing_is_wrong(pages, show, name, parts):
    driver = show(pages[name])
    shown = driver.execute_script(
        "return [...document.querySelectorAll('main > section')]"
        ".filter(e => e.checkVisibility() && e.offsetHeight > 30).map(e => e.id)"
    )
    assert shown == parts
    assert driver.get_log("browser") == []
    assert requests(driver) == ["file"]
    assert driver.execute_script("return [...document.images].every(i => i.complete && i.naturalWidth > 0)")
    assert driver.execute_script("return [...document.querySelectorAll('svg')].every(s => s.getBBox().width > 100)")


def test_the_logs_would_tell(pages, show):
    """What the test above relies on: a page that fetches, or runs a foreign script, is told on."""
    bad = pages["two"].replace("</main>", "<img src='https://lit.invalid/x.png'><script>alert(1)</script></main>")
    driver = show(bad)
    said = " ".join(entry["message"] for entry in driver.get_log("browser"))
    assert "img-src" in said
    assert "script-src" in said


def requests(driver) -> list[str]:
    """Schemes of what was requested, apart from what is inside the page."""
    events = (json.loads(entry["message"])["message"] for entry in driver.get_log("performance"))
    urls = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    return [url.split(":")[0] for url in urls if not url.startswith(("data:", "about:"))]


@pytest.mark.parametrize("name", ["full", "thousand", "two", "retrieval", "nasty"])
def test_a_phone_scrolls_down_only(pages, show, name):
    driver = show(pages[name], width=400)
    driver.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert driver.execute_script("return document.documentElement.scrollWidth") == 400
    # What is wider scrolls inside its own box, and no text sticks out of the page.
    outside = driver.execute_script(
        "return [...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll, svg, .unseen') && "
        "e.getBoundingClientRect().right > 401).map(e => e.outerHTML.slice(0, 80))"
    )
    assert outside == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["full", "nasty"])
def test_contrast(pages, show, name, scheme):
    driver = show(pages[name], scheme=scheme)
    driver.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    paper = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (max(map(int, re.findall(r"\d+", paper))) < 60) == (scheme == "dark")
    seen, poor = driver.execute_script(Path(__file__).with_name("contrast.js").read_text(), 4.5)
    assert seen > 200
    assert poor == []


def test_the_measures_would_tell(pages, show):
    """Pale ink and a wide box are found."""
    pale = pages["two"].replace("--faint: #565d66", "--faint: #8a9099")
    assert pale != pages["two"]
    _, poor = show(pale).execute_script(Path(__file__).with_name("contrast.js").read_text(), 4.5)
    assert any("Class by class" in text or "95 % interval" in text for text in poor)
    wide = pages["two"].replace("</main>", "<div style='width: 500px'>x</div></main>")
    assert show(wide, width=400).execute_script("return document.documentElement.scrollWidth") > 400


def test_the_table_sorts(pages, show):
    driver = show(pages["full"])
    report = reports.full()
    accuracy = dict(
        zip(report.class_names, (c / n for c, n in zip(report.correct, report.support, strict=True)), strict=True)
    )
    assert names(driver) == sorted(accuracy, key=accuracy.get)
    heads = driver.find_elements("css selector", "table.sortable thead button")
    assert [head.text.split("\n")[0] for head in heads][:3] == ["Class", "Images", "Right"]
    heads[0].click()
    assert names(driver) == list(report.class_names)
    heads[0].click()
    assert names(driver) == list(report.class_names)[::-1]
    assert sorted_by(driver) == [("Class", "descending")]
    heads[2].click()
    assert names(driver) == sorted(accuracy, key=accuracy.get)
    heads[5].click()
    column = driver.execute_script(
        "return [...document.querySelectorAll('.sortable tbody tr')].map(r => r.cells[5].innerText)"
    )
    assert column == sorted(column)
    assert sorted_by(driver) == [("Mostly mistaken for", "ascending")]


def test_the_table_filters(pages, show):
    driver = show(pages["thousand"])
    driver.find_element("css selector", "#classes summary").click()
    field = driver.find_element("css selector", ".filter input")
    assert len(names(driver)) == 1000
    field.send_keys("SIBERIAN fox")
    found = names(driver)
    assert len(found) == 10
    assert all("Siberian fox" in name for name in found)
    assert driver.find_element("css selector", ".filter output").text == "10 of 1000"
    driver.find_elements("css selector", "table.sortable thead button")[0].click()
    assert names(driver) == sorted(found, key=list(reports.class_names(1000)).index)
    field.clear()
    field.send_keys("no such class")
    assert names(driver) == []
    # Selenium's clear() tells the page of a change, not of an input.
    driver.execute_script("arguments[0].value = ''; arguments[0].dispatchEvent(new Event('input'))", field)
    assert len(names(driver)) == 1000
    assert driver.find_element("css selector", ".filter output").text == ""


def names(driver) -> list[str]:
    return driver.execute_script(
        "return [...document.querySelectorAll('table.sortable tbody tr')].filter(r => r.checkVisibility())"
        ".map(r => r.cells[0].textContent.trim())"
    )


def sorted_by(driver) -> list[tuple[str, str]]:
    heads = driver.execute_script(
        "return [...document.querySelectorAll('[aria-sort]')].map(h => [h.textContent.trim(), h.ariaSort])"
    )
    return [tuple(head) for head in heads]


def test_names_are_shown_as_they_are(pages, show):
    driver = show(pages["nasty"])
    assert set(names(driver)) == {name.strip() for name in reports.NASTY}
    assert driver.find_element("tag name", "h1").text == reports.NASTY[0]
    assert driver.title.startswith(reports.NASTY[0])
    assert driver.execute_script("return document.querySelectorAll('script').length") == 1
    # No packaged suite has that name, so no command is given that would measure something else.
    assert "this report does not hold all of it" in driver.find_element("css selector", "#reproduce").text


def test_without_scripts_all_is_there(pages, show):
    driver = show(pages["full"].replace("<script>", "<script type='text/plain'>"))
    assert len(names(driver)) == 10
    assert not driver.find_element("css selector", ".filter").is_displayed()


def test_readers_of_screens_are_served(pages, show):
    driver = show(pages["full"])
    silent = driver.execute_script(
        "return [...document.querySelectorAll('img:not([alt]), svg:not([aria-label]), table:not(.factors, .times, "
        "[aria-labelledby]), input:not(label input), .scroll:not([tabindex])')].map(e => e.outerHTML.slice(0, 90))"
    )
    assert silent == []
    unlabelled = driver.execute_script(
        "return [...document.querySelectorAll('[aria-labelledby]')].filter("
        "e => !document.getElementById(e.getAttribute('aria-labelledby'))).length"
    )
    assert unlabelled == 0
    ids = driver.execute_script("return [...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    levels = driver.execute_script("return [...document.querySelectorAll('h1, h2, h3')].map(h => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))


def test_paper(pages, show):
    driver = show(pages["thousand"], scheme="dark")
    pdf = base64.b64decode(driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"])
    # The folded table of a thousand classes stays folded: it would be some twenty-five pages.
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 10
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": []})
    try:
        assert driver.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert not driver.find_element("css selector", ".filter").is_displayed()
    finally:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
