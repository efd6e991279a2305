"""Visits of the page in Chromium."""

import shutil
from collections import defaultdict
from contextlib import contextmanager

import pyarrow.parquet as pq
import pytest

from fgbench.reports.page.build import write_page
from tests.support.page_folders import write_clip_run, write_data, write_image_run

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
NEEDS_CHROMIUM = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on this machine (Debian: apt-get install chromium)"
)
WIDTHS = (390, 1440)
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


def predictions(work, experiment="msau-small"):
    """True and predicted class to the ids of the samples."""
    groups = defaultdict(set)
    for row in pq.read_table(work / "runs" / experiment / "0" / "0" / "predictions.parquet").to_pylist():
        groups[row["label"], row["predicted"]].add(row["sample_id"])
    return groups


@contextmanager
def launched():
    """A browser, closed in the end."""
    with playwright.sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def visiting(browser, page):
    """A function that visits a page, ``page`` if none is named; all visits are closed in the end."""
    visits = []

    def start(path=page, **options):
        visits.append(Visit(browser, path, **options))
        return visits[-1]

    yield start
    for one in visits:
        one.context.close()


def write_three_runs(work):
    """A work folder with two runs on images and one on clips, and its ``page.html``."""
    test = write_data(
        work, clips={"train": 33, "val": 5, "test": 66}, images_per_clip=2, copies={"train": 9}, n_faces=8
    )
    write_image_run(work, "msau-small", test["image"], method="MSAU-Net (Ours)", share=0.5)
    write_image_run(work, "plain-cnn-small", test["image"], method="Plain CNN", share=0.3)
    write_clip_run(work, "tmsau-small", test["video"], method="TMSAU-Net (Ours)", share=0.5)
    write_page(work, work / "page.html")
    return work
