"""The page at the paper's scale and with many runs: time to build, size, time until it is ready in Chromium.

A work folder is made up with as many images and clips as Table I has (17,461 images with copies, about as
many originals among them, and 1,491 clips) and eight runs. The page opens with its first view and makes
the rest when it is looked at; the baseline is the same page with every view made at once. Then a small data
set with 10, 100 and 400 runs; the baseline there is the build with every pair of runs compared.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from pathlib import Path

from fgbench.reports.page import pairs
from fgbench.reports.page.build import build_page, write_page
from fgbench.reports.paper.numbers import table1
from tests.support.page_folders import write_clip_run, write_data, write_image_run
from tests.support.page_reading import blocks
from tests.support.report_folders import write_fake_run

REPEATS = 5
LIMIT_MB, LIMIT_S = 30, 3
FRAMES = 64
PER_CLIP = {"train": 9, "val": 5, "test": 3}
"""Original images of each clip, about as many as in Table I."""
IMAGE_RUNS = ("LBP+SVM", "Plain CNN", "AU+CNN", "AU+Z-CNN", "MSAU-Net (Ours)")
CLIP_RUNS = ("Plain TSNet", "NAN", "TMSAU-Net (Ours)")


MANY_RUNS = (10, 100, 400)
LIMIT_400_S = 10


def main() -> None:
    """Print the tables."""
    _one_page()
    print()
    _many_runs()


def _one_page() -> None:
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        n_images = _write_folder(work)
        begin = time.perf_counter()
        size = write_page(work, work / "report.html")
        build_s = time.perf_counter() - begin
        print(f"{n_images:,} images, {len(IMAGE_RUNS) + len(CLIP_RUNS)} runs.")
        print()
        print("| what | value | limit |")
        print("|---|---:|---:|")
        print(f"| build, s | {build_s:.1f} | |")
        print(f"| size, MB | {size / 1e6:.1f} | {LIMIT_MB} |")
        chromium = shutil.which("chromium")
        if chromium is None:
            print("| opening | not measured: no Chromium here | |")
            return
        eager = _opening_s(work / "report.html#/all", chromium)
        lazy = _opening_s(work / "report.html#/overview", chromium)
        print(f"| opening with every view made at once (baseline), s | {eager:.2f} | |")
        print(f"| opening, s | {lazy:.2f} | {LIMIT_S} |")
        print(f"| baseline / opening | {eager / lazy:.1f} | |")


def _many_runs() -> None:
    """Each run is of 120 test images of ten persons."""
    print("| runs | pairs compared | of | build, s | limit, s | every pair compared (baseline), s | ratio |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for n_runs in MANY_RUNS:
        with tempfile.TemporaryDirectory() as name:
            work = Path(name)
            clips = {"train": 33, "val": 10, "test": 40}
            test = write_data(work, clips=clips, images_per_clip=3, copies={}, frames=2)
            for number in range(n_runs):
                write_fake_run(
                    work,
                    f"experiment-{number // 5:03d}",
                    method="LBP+SVM",
                    seed=number % 5,
                    share=0.2 + 0.5 * number / n_runs,
                    shown=test["image"],
                )
            own, n_pairs = _build_s(work)
            kept, pairs.ALL_UP_TO = pairs.ALL_UP_TO, n_runs
            every, n_every = _build_s(work)
            pairs.ALL_UP_TO = kept
            limit = LIMIT_400_S if n_runs == MANY_RUNS[-1] else ""
            counted = f"| {n_runs} | {n_pairs:,} | {n_every:,} "
            print(f"{counted}| {own:.1f} | {limit} | {every:.1f} | {every / own:.1f} |")


def _build_s(work: Path) -> tuple[float, int]:
    """Seconds to build the page, and its pairs."""
    begin = time.perf_counter()
    page = build_page(work)
    return time.perf_counter() - begin, len(blocks(page)["pairs"])


def _write_folder(work: Path) -> int:
    """A work folder of the paper's size; returns its number of images with copies."""
    printed = table1()
    clips = {part: printed["Video", part] for part in PER_CLIP}
    test = write_data(
        work,
        clips=clips,
        images_per_clip=PER_CLIP,
        copies={
            part: printed["Augmented Image", part] - count * clips[part] for part, count in PER_CLIP.items()
        },
        frames=FRAMES,
        n_faces=300,
    )
    for number, method in enumerate(IMAGE_RUNS):
        write_image_run(work, f"image-{number}", test["image"], method=method, share=0.3 + 0.1 * number)
    for number, method in enumerate(CLIP_RUNS):
        write_clip_run(work, f"video-{number}", test["video"], frames=FRAMES, method=method, share=0.5)
    return printed["Augmented Image", "total"]


READY = """() => new Promise((done) => new PerformanceObserver((list) => {
  const [ready] = list.getEntriesByName("fgbench-ready");
  if (ready) done(ready.startTime);
}).observe({type: "mark", buffered: true}))"""
"""Milliseconds at which the page's first view was there; asked so because the page's policy forbids eval."""


def _opening_s(address: Path, chromium: str) -> float:
    """Median time from the start of the navigation to the end of the first view, after a first opening."""
    from playwright.sync_api import sync_playwright

    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    path, view = str(address).split("#")
    times = []
    with sync_playwright() as tools:
        for _ in range(REPEATS + 1):
            browser = tools.chromium.launch(executable_path=chromium, args=flags)
            tab = browser.new_page(viewport={"width": 1440, "height": 900})
            tab.goto(f"file://{path}#{view}")
            times.append(tab.evaluate(READY) / 1000)
            browser.close()
    return statistics.median(times[1:])
