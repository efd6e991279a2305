"""Charts of the page in Chromium: long names are whole, marks stay apart."""

import pytest

from fgbench.reports.page.build import write_page
from tests.support.page_folders import LABELS, write_data, write_image_run
from tests.support.page_reading import blocks
from tests.support.page_visits import (
    APART,
    KINDS,
    NEEDS_CHROMIUM,
    WIDTHS,
    launched,
    visiting,
    write_three_runs,
)
from tests.support.report_folders import write_fake_run

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
