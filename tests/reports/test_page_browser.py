"""The page in headless Chromium: errors, clicks, keyboard, widths, names that look like markup."""

import shutil
from collections import defaultdict

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fgbench import storage
from fgbench.reports.page.build import write_page
from fgbench.reports.protocols import knowledge_notes
from fgbench.runs.unit_results import AuPredictions, write_au_run
from fgbench.taxonomy import basics, leaf
from tests.support.page_folders import LABELS, hostile_work, write_clip_run, write_data, write_image_run
from tests.support.page_reading import blocks
from tests.support.report_folders import write_fake_run

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    f"--{flag}"
    for flag in (
        "headless=new",
        "no-sandbox",
        "disable-gpu",
        "disable-quic",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
    )
]
WIDTHS = (390, 1440)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None, reason="no Chromium on this machine (Debian: apt-get install chromium)"
    ),
]

APART = """(kinds) => {
  const found = [];
  for (const kind of kinds) {
    const groups = new Map();
    for (const element of document.querySelectorAll(kind)) {
      const box = element.getBoundingClientRect();
      if (!box.width || !box.height) continue;
      const parent = kind.includes("svg") ? element.ownerSVGElement : element.parentElement;
      if (!groups.has(parent)) groups.set(parent, []);
      groups.get(parent).push([box, element.textContent]);
    }
    for (const list of groups.values()) for (let i = 0; i < list.length; i++) for (let j = 0; j < i; j++) {
      const [a, b] = [list[i][0], list[j][0]];
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > 1.5 && high > 3) found.push(`${kind}: ${list[i][1]} / ${list[j][1]}`);
    }
  }
  return found;
}"""
"""Pairs of elements of the same parent that cover each other; texts of one drawing count as of one parent."""

KINDS = [
    *(".card", ".tile", ".tabs a", ".jump button", ".controls > *", ".head > *", ".faces > li", ".contact"),
    *(".contact .pic", ".strip .pic", ".grid th.column", ".grid tr", ".grid td", ".choice button"),
    ".chart svg text",
]


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    work = tmp_path_factory.mktemp("browser")
    test = write_data(
        work, clips={"train": 33, "val": 5, "test": 66}, images_per_clip=2, copies={"train": 9}, n_faces=8
    )
    write_image_run(work, "msau-small", test["image"], method="MSAU-Net (Ours)", share=0.5)
    write_image_run(work, "plain-cnn-small", test["image"], method="Plain CNN", share=0.3)
    write_clip_run(work, "tmsau-small", test["video"], method="TMSAU-Net (Ours)", share=0.5)
    write_page(work, work / "page.html")
    return work


class Visit:
    """A tab that notes errors and what is asked of the network."""

    def __init__(self, browser, path, *, width=1440, scheme="light"):
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.tab = self.context.new_page()
        self.errors, self.asked = [], []
        self.tab.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        self.tab.on("pageerror", lambda error: self.errors.append(str(error)))
        self.tab.on("dialog", lambda dialog: self.errors.append(f"dialog {dialog.message}"))
        self.tab.on("request", lambda request: self.asked.append(request.url))
        self.path = path

    def go(self, view):
        self.tab.goto(f"{self.path.as_uri()}#/{view}")
        self.tab.wait_for_selector("main h1")
        return self.tab

    def see_all(self):
        """Scroll until everything that is made on sight is made."""
        self.tab.evaluate(
            """async () => {
              for (let turn = 0; turn < 2; turn++) for (let y = 0; y < document.body.scrollHeight; y += 600) {
                scrollTo(0, y);
                await new Promise((done) => setTimeout(done, 30));
              }
            }"""
        )
        playwright.expect(self.tab.locator(".waiting")).to_have_count(0)


@pytest.fixture
def visit(browser, work):
    visits = []

    def start(path=work / "page.html", **options):
        visits.append(Visit(browser, path, **options))
        return visits[-1]

    yield start
    for one in visits:
        one.context.close()


MARKS = """(svg) => {
  const box = (element) => (({ left, right, top, bottom }) => ({ left, right, top, bottom }))(element.getBoundingClientRect());
  const paths = [...svg.querySelectorAll("path")];
  return {
    dashed: paths.filter((path) => path.getAttribute("stroke-dasharray")).map(box),
    wide: paths.filter((path) => path.getAttribute("stroke-width") === "3").map(box),
    texts: [...svg.querySelectorAll("text")].map((text) => ({ text: text.textContent, ...box(text) })),
  };
}"""  # noqa: E501
"""Boxes of what a chart of intervals draws."""


@pytest.mark.parametrize("width", WIDTHS)
def test_names_are_off_the_line_of_chance_and_intervals_are_whole(visit, tmp_path, width):
    """An interval that ends beyond all other marks is still inside the axis."""
    test = write_data(tmp_path, clips={"test": 66}, images_per_clip=1, copies={}, n_faces=2)
    for name, share in (("weak", 0.1), ("a-long-name-of-a-run", 0.66)):
        write_image_run(tmp_path, name, test["image"], method=None, share=share)
    write_page(tmp_path, tmp_path / "page.html")
    tab = visit(tmp_path / "page.html", width=width).go("overview")
    chart = tab.locator(".chart svg").first
    chart.wait_for()
    evaluated = chart.evaluate(MARKS)
    names = [text for text in evaluated["texts"] if "/0/0" in text["text"]]
    (line,) = (box for box in evaluated["dashed"] if box["bottom"] - box["top"] > 40)
    assert len(names) == 2
    for name in names:
        assert name["left"] > line["right"] or name["right"] < line["left"], name
    ticks = {text["text"]: (text["left"] + text["right"]) / 2 for text in evaluated["texts"]}
    numbers = {float(text): at for text, at in ticks.items() if text.replace(".", "").isdigit()}
    (first, last) = (min(numbers), max(numbers))
    highs = [run["high"] for run in blocks((tmp_path / "page.html").read_text())["overview"]["runs"]]
    assert max(highs) <= last
    scale = (numbers[last] - numbers[first]) / (last - first)
    ends = sorted(box["right"] for box in evaluated["wide"])
    assert ends == pytest.approx([numbers[first] + high * scale for high in sorted(highs)], abs=3)
    assert "paper" not in ticks, "of runs of no method of the paper"


CUT = """() => {
  const found = [];
  for (const text of document.querySelectorAll(".chart svg text")) {
    const box = text.getBoundingClientRect(), room = text.ownerSVGElement.getBoundingClientRect();
    const isOut = box.left < room.left - 1 || box.right > room.right + 1 || box.top < room.top - 1 || box.bottom > room.bottom + 1;
    if (box.width && (isOut || text.textContent.includes("…"))) found.push(text.textContent);
  }
  for (const name of document.querySelectorAll(".tag, .face b, .contact h3 span, .grid th span, .controls label, .tile b")) {
    if (name.scrollWidth > name.clientWidth + 1 && getComputedStyle(name).display !== "inline") found.push(name.textContent);
  }
  return found;
}"""  # noqa: E501
"""Texts that leave their drawing, or are cut short."""

PLOT = """(svg) => {
  const lines = [...svg.querySelectorAll("path")].map((path) => path.getBoundingClientRect()).filter((box) => box.height > 40 && box.width < 2);
  const at = lines.map((box) => box.left);
  return (Math.max(...at) - Math.min(...at)) / svg.getBoundingClientRect().width;
}"""  # noqa: E501
"""Share of a chart's width that its axis has, between the first and the last of its lines."""

OWN = (
    "Überraschung mit leichter Verlegenheit",
    "喜びと驚きが入り混じった複雑な表情です",
    "Злорадство и лёгкое презрение одновременно",
    "سعادة غامرة ممزوجة بالدهشة والامتنان",
    "ความสุขที่ปนเปกับความเศร้าเล็กน้อย",
    "Donaudampfschifffahrtsgesellschaftskapitänsfreude",
    "ярость",
)
RUNS = ("msau-small-with-a-very-long-name-of-the-experiment-and-its-settings_0.0001", "lbp-svm")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("classes", [LABELS, OWN], ids=["33", "own"])
def test_long_names_of_runs_and_classes_are_whole_and_charts_keep_their_room(visit, tmp_path, classes, width):
    parts = {"train": len(classes), "val": 5, "test": 66}
    test = write_data(tmp_path, clips=parts, images_per_clip=1, copies={}, n_faces=2, labels=classes)
    for name, share in zip(RUNS, (0.6, 0.05), strict=True):
        write_fake_run(tmp_path, name, method=None, share=share, shown=test["image"], classes=classes)
    write_page(tmp_path, tmp_path / "page.html")
    visited = visit(tmp_path / "page.html", width=width)
    for view in ("overview", "data", "run/0", "run/1", "compare/0/1"):
        tab = visited.go(view)
        visited.see_all()
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, view
        assert tab.evaluate(APART, KINDS) == [], view
        assert tab.evaluate(CUT) == [], view
        assert tab.locator(".chart svg").first.evaluate(PLOT) > 0.35, view
        charts = tab.locator(".chart svg").evaluate_all("list => list.map((svg) => svg.textContent)")
        wanted = [f"{name}/0/0" for name in RUNS] if view == "overview" else classes
        shown = "".join(charts[0].split())
        assert all("".join(name.split()) in shown for name in wanted), view
    assert visited.errors == []


def predictions(work, experiment="msau-small"):
    """True and predicted class to the ids of the samples."""
    groups = defaultdict(set)
    for row in pq.read_table(work / "runs" / experiment / "0" / "0" / "predictions.parquet").to_pylist():
        groups[row["label"], row["predicted"]].add(row["sample_id"])
    return groups


def shown_samples(tab):
    """Samples in the panel beside the matrix, once all batches are shown."""
    while tab.locator(".panel .button:visible").count():
        tab.locator(".panel .button").click()
    return set(tab.locator(".panel .face").evaluate_all("list => list.map((face) => face.dataset.sample)"))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("view", ["overview", "data", "run/0", "run/2", "compare/0/1", "provenance"])
def test_views_open_without_error_and_nothing_overlaps(visit, view, width):
    visited = visit(width=width)
    tab = visited.go(view)
    visited.see_all()
    assert visited.errors == []
    assert [url for url in visited.asked if not url.startswith(("file:", "blob:", "data:"))] == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.evaluate(APART, KINDS) == []
    assert tab.locator(".synthetic").inner_text().startswith("SYNTHETIC data")
    results = tab.locator("section.card", has=tab.locator(".chart, .faces, .grid")).all()
    assert all(
        "SYNTHETIC" in card.locator(".head").first.inner_text()
        for card in results
        if "Not used" not in card.inner_text()
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_a_click_on_a_cell_shows_the_samples_behind_it(visit, work, width):
    visited = visit(width=width)
    tab = visited.go("run/0")
    behind = predictions(work)
    wrong = max(
        (pair for pair in behind if pair[0] != pair[1] and pair[1]), key=lambda pair: len(behind[pair])
    )
    for true, predicted in (("anger", "anger"), wrong, next(pair for pair in behind if pair[1] is None)):
        cell = f'.grid td[data-true="{true}"][data-predicted="{predicted or "no prediction"}"]'
        tab.locator(cell).click()
        assert tab.locator(cell).inner_text() == (
            str(len(behind[true, predicted])) if behind[true, predicted] else ""
        )
        assert shown_samples(tab) == behind[true, predicted]
        assert true in tab.locator(".panel h3").inner_text()
    assert visited.errors == []


def test_every_cell_has_the_number_counted_from_the_predictions(visit, work):
    tab = visit().go("run/0")
    tab.wait_for_selector(".grid")
    shown = tab.locator(".grid td[data-true]").evaluate_all(
        "list => list.map((cell) => [cell.dataset.true, cell.dataset.predicted, cell.textContent])"
    )
    behind = predictions(work)
    assert len(shown) == 33 * 34
    for true, predicted, text in shown:
        count = len(behind[true, None if predicted == "no prediction" else predicted])
        assert text == (str(count) if count else "")


def test_upper_classes_and_shares(visit, work):
    tab = visit().go("run/0")
    tab.get_by_role("button", name="6 upper classes").click()
    behind = predictions(work)
    counts, samples = defaultdict(int), defaultdict(set)
    for (true, predicted), ids in behind.items():
        pair = leaf(true).basic, "no prediction" if predicted is None else leaf(predicted).basic
        counts[pair] += len(ids)
        samples[pair] |= ids
    shown = tab.locator(".grid td[data-true]").evaluate_all(
        "list => list.map((cell) => [cell.dataset.true, cell.dataset.predicted, cell.textContent])"
    )
    assert len(shown) == 6 * 7
    assert all(text == (str(counts[true, one]) if counts[true, one] else "") for true, one, text in shown)
    tab.locator('.grid td[data-true="anger"][data-predicted="sadness"]').click()
    assert shown_samples(tab) == samples["anger", "sadness"]
    tab.get_by_role("button", name="% of the row").click()
    total = sum(counts["anger", name] for name in (*basics(), "no prediction"))
    text = tab.locator('.grid td[data-true="anger"][data-predicted="anger"]').inner_text()
    assert text == f"{100 * counts['anger', 'anger'] / total:.0f}"


def test_the_matrix_works_by_keyboard(visit, work):
    visited = visit()
    tab = visited.go("run/0")
    tab.wait_for_selector(".grid")
    behind = predictions(work)
    tab.locator(".grid").locator("xpath=..").focus()  # the box round the matrix, which scrolls
    tab.keyboard.press("Tab")
    focused = "document.activeElement.getAttribute('aria-label')"
    assert tab.evaluate(focused).startswith("true anger, predicted anger")
    for _ in range(3):
        tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowRight")
    true, predicted = LABELS[3], LABELS[1]
    assert tab.evaluate(focused).startswith(f"true {true}, predicted {predicted}:")
    tab.keyboard.press("Enter")
    assert shown_samples(tab) == behind[true, predicted]
    tab.keyboard.press("Home")
    assert tab.evaluate(focused) == f"all of {true}"
    tab.keyboard.press("Space")
    assert shown_samples(tab) == set.union(*[ids for (label, _), ids in behind.items() if label == true])
    tab.locator(".panel .face").first.focus()
    tab.keyboard.press("Enter")
    assert tab.locator("#detail").is_visible()
    name = tab.locator("#detail h2").inner_text()
    assert name.startswith("test-clip")
    tab.keyboard.press("Escape")
    assert not tab.locator("#detail").is_visible()
    assert visited.errors == []


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
