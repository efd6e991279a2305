"""Draw the pictures of README and the documentation: ``python docs/pictures/draw.py``; some minutes.

Draws a small data set of synthetic faces, prepares it, runs two methods, writes the report page, and takes a
picture of it in Chromium, and one of the page on which experts select frames. Writes ``page.png``,
``sheet.png`` and ``frames.png`` beside this file, each below 200 kB.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"
SIZE = {"width": 1280, "height": 740}
SHEET_WIDTH_PX = 900
FRAMES_WIDTH_PX = 1000
MOST_BYTES = 200_000
STEPS = (
    "synth drawn --clips-per-class 4 --subjects 16 --size 640x480",
    "prepare demo --data-root drawn --workdir work --set split.train=2 --set split.test=2",
    "baseline lbp-svm --workdir work",
    "baseline lbp-svm --recipe lbp-svm-paper --workdir work",
    "train msau --variant plain-cnn --recipe plain-cnn-small --workdir work --set optimiser.epochs=3",
)


def main() -> None:
    """Draw the pictures; with ``--workdir`` of a work folder of drawn faces that is there already."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--workdir", type=Path, help="a finished work folder of drawn faces; else one is made"
    )
    workdir = parser.parse_args().workdir
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if workdir is None:
            for step in STEPS:
                fgbench(step, folder)
            workdir = folder / "work"
        fgbench(f"report --html --workdir {workdir.resolve()}", folder)
        fgbench("synth --sheet sheet.png", folder)
        picture_of_page(workdir / "reports" / "report.html", folder / "page.png")
        fgbench(f"annotate frames --workdir {workdir.resolve()} --out frames", folder)
        picture_of_frames(folder / "frames" / "sheet-0001.html", folder / "frames.png")
        widths = {"page.png": SIZE["width"], "sheet.png": SHEET_WIDTH_PX, "frames.png": FRAMES_WIDTH_PX}
        for picture, width in widths.items():
            keep(folder / picture, HERE / picture, width)


def fgbench(words: str, folder: Path) -> None:
    """Run a command of fgbench in a folder."""
    subprocess.run([sys.executable, "-P", "-m", "fgbench", *words.split()], cwd=folder, check=True)


def picture_of_page(page: Path, target: Path) -> None:
    """Take a picture of the top of a page as a browser shows it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_page(viewport=SIZE)
        tab.goto(page.resolve().as_uri())
        tab.wait_for_timeout(3000)
        tab.screenshot(path=str(target))
        browser.close()


def picture_of_frames(page: Path, target: Path) -> None:
    """Take a picture of a page of frames, some of which are decided on."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        tab.goto(page.resolve().as_uri())
        tab.get_by_label("Your name or number").fill("ada")
        tab.locator(".face").first.focus()
        for key in "raaaaarrr":
            tab.keyboard.press(key)
        tab.evaluate("scrollTo(0, 0)")
        tab.wait_for_timeout(1000)
        tab.screenshot(path=str(target))
        browser.close()


def keep(source: Path, target: Path, width_px: int) -> None:
    """Keep a picture with as many colours as its size allows, at most 256."""
    picture = Image.open(source).convert("RGB")
    picture = picture.resize((width_px, round(picture.height * width_px / picture.width)))
    for colours in (256, 128, 64, 32):
        picture.quantize(colours).save(target, optimize=True)
        if target.stat().st_size < MOST_BYTES:
            return
    raise SystemExit(
        f"{target} has {target.stat().st_size} bytes with 32 colours, expected less than {MOST_BYTES}"
    )


if __name__ == "__main__":
    main()
