"""Votes on the page: the numbers of the report, names as text, narrow and wide in headless Chromium."""

import shutil

import pytest

from fgbench.reports.page.build import build_page, write_page
from fgbench.reports.page.votes import votes_json
from fgbench.reports.votes.agreement import vote_figures
from fgbench.reports.votes.cast_votes import read_votes
from tests.support.page_folders import HOSTILE, write_data
from tests.support.page_reading import blocks
from tests.support.report_folders import LABELS, samples, write_manifests
from tests.support.voted_work import drawn_votes, vote, write_votes

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def write_voted(work):
    write_manifests(work, samples())
    clips = {clip: (clip, subject, label) for _, clip, subject, label in samples()}
    return write_votes(work, drawn_votes(list(clips.values()), LABELS))


def test_the_view_has_the_figures_of_the_report(tmp_path):
    """Totals, tables as text, classes of each round with intervals, the matrix, and the ceiling."""
    work = write_voted(tmp_path)
    figures = vote_figures(read_votes(work))
    data = votes_json(work)
    assert (data["n_annotators"], data["n_clips"], data["n_votes"]) == (5, 66, 390)
    assert data["alpha"] == figures.alpha
    parts = data["rounds"]["parts"]
    assert [row[4] for row in parts[0]["rows"]] == [f"{one.alpha:.3f}" for one in figures.rounds]
    assert [row[-1] for row in parts[2]["rows"]] == [str(one.settled) for one in figures.rounds]
    shown = [(one["round"], row[0], row[4]) for one in data["classes"]["rounds"] for row in one["classes"]]
    assert shown == [(one.round, one.label, one.alpha) for one in figures.classes]
    assert data["kappas"]["rows"][0][1] == figures.pairs[0].kappa
    assert data["kappas"]["rows"][1][0] == figures.pairs[0].kappa
    assert data["ceiling"]["low"] < data["ceiling"]["uar"] < data["ceiling"]["settled"]


@pytest.mark.slow
def test_a_data_set_without_votes_has_no_view_of_them(tmp_path):
    write_manifests(tmp_path, samples())
    assert votes_json(tmp_path) is None
    assert "votes" not in blocks(build_page(tmp_path))


def test_many_pairs_are_cut_to_those_with_most_clips_in_common(tmp_path):
    people = [f"p{number:02d}" for number in range(34)]
    rows = [vote(f"c{clip:02d}", who, "wrath") for clip in range(20) for who in people]
    rows += [vote("extra", who, "wrath") for who in people[:2]]
    write_manifests(tmp_path, samples())
    pairs = votes_json(write_votes(tmp_path, rows))["pairs"]
    assert (pairs["n"], len(pairs["rows"])) == (34 * 33 // 2, 500)
    assert pairs["rows"][0][:3] == ["p00", "p01", "21"]


@pytest.fixture(scope="module")
def tabs(tmp_path_factory):
    """A function that opens a page in a tab of some width, and gives the tab and its errors."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    with playwright.sync_playwright() as tools:
        browser = tools.chromium.launch(
            executable_path=CHROMIUM, args=["--headless=new", "--no-sandbox", "--disable-gpu"]
        )

        def opened(path, width):
            tab = browser.new_context(viewport={"width": width, "height": 900}).new_page()
            errors = []
            tab.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
            tab.on("pageerror", lambda error: errors.append(str(error)))
            tab.on("dialog", lambda dialog: errors.append(f"dialog {dialog.message}"))
            tab.goto(f"{path.as_uri()}#/votes")
            tab.wait_for_selector("main h1")
            while tab.locator(".waiting").count():
                # One may be replaced by what it waits for before a locator has found it at rest.
                tab.evaluate("document.querySelector('.waiting')?.scrollIntoView()")
                tab.wait_for_timeout(20)
            return tab, errors

        yield opened
        browser.close()


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1200, 1440])
def test_the_view_fits_a_telephone_and_a_desk(tabs, tmp_path, width):
    """Wide tables scroll by themselves, by keyboard too; all tables have names; tabs stand on one line."""
    work = write_voted(tmp_path)
    write_page(work, work / "page.html")
    tab, errors = tabs(work / "page.html", width)
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    assert (
        tab.evaluate("new Set([...document.querySelectorAll('.tabs a')].map((one) => one.offsetTop)).size")
        == 1
    )
    names = tab.locator("table").evaluate_all("(all) => all.map((one) => one.getAttribute('aria-label'))")
    assert len(names) >= 8
    assert all(names)
    assert tab.locator(".scroll:not([tabindex='0'])").count() == 0
    if width > 1000:
        cut = "(all) => all.filter((one) => one.scrollWidth > one.clientWidth).length"
        assert tab.locator(".scroll:has(table.words)").evaluate_all(cut) == 0
    assert tab.locator("table.still tbody th").all_inner_texts() == [f"ann-{one}" for one in range(1, 6)]
    assert tab.locator("table.still td.strong").count() == 12
    tab.get_by_role("button", name="round 2").click()
    assert tab.locator(".chart[aria-label='Alpha of each class, round 2'] svg").count() == 1
    tab.locator("summary", has_text="Numbers").click()
    assert tab.locator("table[aria-label='Alpha of each class, round 2'] tbody tr").count() > 5
    assert errors == []


@pytest.mark.slow
def test_names_of_annotators_and_classes_are_text(tabs, tmp_path):
    labels = (f"good {HOSTILE}", f"bad {HOSTILE}")
    write_data(tmp_path, clips={"test": 4}, images_per_clip=1, copies={}, labels=labels, n_faces=2)
    rows = [
        vote(f"c{clip:02d}", who, labels[(clip + (who != HOSTILE)) % 2], subject_id=f"s{clip}")
        for clip in range(20)
        for who in (HOSTILE, "other")
    ]
    write_votes(tmp_path, rows)
    write_page(tmp_path, tmp_path / "page.html")
    tab, errors = tabs(tmp_path / "page.html", 390)
    assert HOSTILE in tab.locator("table.still tbody th").all_inner_texts()
    assert errors == []
