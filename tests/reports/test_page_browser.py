"""The page in headless Chromium: errors, clicks, keyboard, widths, names that look like markup."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fgbench import storage
from fgbench.reports.page.build import write_page
from fgbench.reports.protocols import knowledge_notes
from fgbench.runs.unit_results import AuPredictions, write_au_run
from tests.support.page_folders import hostile_work, write_data, write_image_run
from tests.support.page_visits import (
    APART,
    KINDS,
    NEEDS_CHROMIUM,
    WIDTHS,
    launched,
    playwright,
    predictions,
    visiting,
    write_three_runs,
)

VIEWS = {
    "overview": "Overview",
    "data": "Data set",
    "run/0": "MSAU-Net (Ours)",
    "run/2": "TMSAU-Net (Ours)",
    "compare/0/1": "Compare",
    "provenance": "Provenance",
}

pytestmark = [pytest.mark.slow, NEEDS_CHROMIUM]


@pytest.fixture(scope="module")
def browser():
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return write_three_runs(tmp_path_factory.mktemp("browser"))


@pytest.fixture
def visit(browser, work):
    with visiting(browser, work / "page.html") as start:
        yield start


@pytest.mark.parametrize("width", WIDTHS)
def test_views_open_without_error_and_nothing_overlaps(visit, width):
    visited = visit(width=width)
    for view, title in VIEWS.items():
        tab = visited.go(view)
        playwright.expect(tab.locator("h1")).to_have_text(title)
        visited.see_all()
        assert visited.errors == [], view
        assert [url for url in visited.asked if not url.startswith(("file:", "blob:", "data:"))] == [], view
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, view
        assert tab.evaluate(APART, KINDS) == [], view
        assert tab.locator(".synthetic").inner_text().startswith("SYNTHETIC data"), view
        results = tab.locator("section.card", has=tab.locator(".chart, .faces, .grid")).all()
        assert all(
            "SYNTHETIC" in card.locator(".head").first.inner_text()
            for card in results
            if "Not used" not in card.inner_text()
        ), view


def test_the_whole_page_is_reached_by_tab(visit):
    tab = visit().go("overview")
    reached = []
    for _ in range(8):
        tab.keyboard.press("Tab")
        reached.append(tab.evaluate("document.activeElement.textContent"))
    assert reached[:6] == ["Skip to the content", "Overview", "Data", "Runs", "Compare", "Provenance"]
    tab.locator(".tabs a", has_text="Data").focus()
    tab.keyboard.press("Enter")
    playwright.expect(tab.locator("h1")).to_have_text("Data set")
    assert tab.evaluate("document.activeElement.tagName") == "H1"


def test_the_overview_shows_what_is_not_known_of_runs(visit, tmp_path):
    test = write_data(tmp_path, clips={"train": 3, "val": 3, "test": 33}, images_per_clip=1, copies={})
    start = {"run": "w.safetensors", "kind": "au", "is_of_this_folder": False, "clips_trained_on": None}
    described = {"clean": {}, "from-elsewhere": {"clips_trained_on": 3}, "started": {"start": start}}
    for name, details in described.items():
        write_image_run(tmp_path, name, test["image"], method=None, details=details)
    write_page(tmp_path, tmp_path / "page.html")
    visited = visit(tmp_path / "page.html")
    tab = visited.go("overview")
    visited.see_all()
    cards = tab.locator(".card", has_text="Leaderboard")
    for index, name in enumerate(("started", "from-elsewhere")):
        (note,) = knowledge_notes([(f"{name}/0/0", described[name])])
        assert note in cards.nth(index).inner_text()
    assert cards.nth(0).locator("tbody tr a").count() == 2
    assert visited.errors == []


def test_the_board_of_few_persons_is_told_in_sentences(visit, tmp_path):
    """Without intervals too a space stands between two sentences."""
    test = write_data(tmp_path, clips={"train": 3, "val": 3, "test": 3}, images_per_clip=1, copies={})
    write_image_run(tmp_path, "run", test["image"], method=None)
    write_page(tmp_path, tmp_path / "page.html")
    visited = visit(tmp_path / "page.html")
    card = visited.go("overview").locator(".card", has_text="Leaderboard")
    visited.see_all()
    assert "Mean accuracy of the classes (UAR). Fewer than five" in card.inner_text()


def test_runs_of_action_units_alone_are_no_lack_of_runs(visit, tmp_path):
    write_data(tmp_path, clips={"train": 3, "val": 3, "test": 3}, images_per_clip=1, copies={})
    manifests = tmp_path / "manifests"
    for path in (manifests / "clips.parquet", *(manifests / "images").iterdir()):
        table = pq.read_table(path)
        field_index = table.schema.get_field_index("label")
        field = table.schema.field(field_index)
        storage.write_table(path, table.set_column(field_index, field, pa.nulls(len(table), field.type)))
    predictions = AuPredictions(
        units=["au12"],
        sample_ids=["a-f00000", "b-f00003"],
        clip_ids=["a", "b"],
        subject_ids=["p", "q"],
        labels=np.array([[1], [-1]], np.int8),
        probabilities=np.array([[0.9], [0.2]], np.float32),
    )
    details = {"dataset": "faces", "synthetic": False, "recipe": "au", "manifest_digest": "ab" * 32}
    run = tmp_path / "runs/au/0/0"
    write_au_run(run, predictions, config={"name": "au"}, device="cpu", details=details)
    write_page(tmp_path, tmp_path / "page.html")
    visited = visit(tmp_path / "page.html")
    tab = visited.go("overview")
    visited.see_all()
    assert tab.locator(".card", has_text="Action units: au/0/0").count() == 1
    assert "lbp-svm" not in tab.locator("main").inner_text()
    assert tab.locator(".tile", has_text="Classes").inner_text().split() == ["Classes", "0"]
    assert visited.errors == []


def test_details_of_a_sample_tell_what_every_run_says(visit, work):
    tab = visit().go("run/0")
    tab.locator('.grid td[data-true="anger"][data-predicted="anger"]').click()
    tab.locator(".panel .face").first.click()
    name = tab.locator("#detail h2").inner_text()
    reported = [
        next(
            label or "no prediction"
            for (_, label), ids in predictions(work, experiment).items()
            if name in ids
        )
        for experiment in ("msau-small", "plain-cnn-small")
    ]
    rows = tab.locator("#detail table[aria-label='All runs'] tbody tr").all()
    assert [row.locator("td").nth(1).inner_text() for row in rows] == reported
    assert tab.locator("#detail .pic svg rect").count() == 9  # three regions: halo, box, number


def test_pictures_are_decoded_when_they_are_seen(visit):
    visited = visit()
    tab = visited.go("overview")
    assert visited.asked == [f"{visited.path.as_uri()}"] or not [
        u for u in visited.asked if u.startswith("blob:")
    ]
    assert tab.evaluate("document.querySelectorAll('script[id^=sheet]').length") > 30
    visited.go("data")
    visited.see_all()
    pictures = tab.locator(".contact .pic")
    playwright.expect(tab.locator('.contact .pic[style*="background-image"]')).to_have_count(pictures.count())
    size = tab.evaluate(
        """async () => {
          const address = document.querySelector('.contact .pic').style.backgroundImage.slice(5, -2);
          const picture = new Image();
          picture.src = address;
          await picture.decode();
          return [picture.naturalWidth % 80, picture.naturalHeight % 80];
        }"""
    )
    assert size == [0, 0]


def test_names_like_markup_do_nothing(visit, tmp_path):
    write_page(hostile_work(tmp_path), tmp_path / "page.html")
    for width in WIDTHS:
        visited = visit(tmp_path / "page.html", width=width)
        for view in ("overview", "data", "run/0", "compare/0/1", "provenance"):
            tab = visited.go(view)
            visited.see_all()
            assert tab.evaluate("window.hacked") is None
            assert tab.locator("main img, main script, dialog script").count() == 0
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
        tab = visited.go("run/0")
        tab.locator(".grid td[data-true]").first.click()
        tab.locator(".panel .face").first.click()
        assert "<script>" in tab.locator("#detail h2").inner_text()
        assert visited.errors == []
        assert tab.evaluate("window.hacked") is None


def test_dark_where_the_system_is_dark(visit):
    shades = [
        visit(scheme=scheme).go("overview").evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    ]
    assert shades == ["rgb(246, 247, 249)", "rgb(16, 21, 28)"]


def test_one_page_for_print_holds_every_view(visit):
    visited = visit()
    tab = visited.go("all")
    titles = tab.locator("h1").all_inner_texts()
    assert titles == [
        "Overview", "Data set", "MSAU-Net (Ours)", "Plain CNN", "TMSAU-Net (Ours)", "Compare", "Provenance",
    ]  # fmt: skip
    assert not tab.locator(".waiting").count()
    assert visited.errors == []
