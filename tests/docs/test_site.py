"""The site is built strictly: no dead link, nothing from elsewhere, pages that fit a telephone."""

import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from PIL import Image

from tests.support.doc_blocks import ROOT, pages

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
LOADED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}
"""Elements that a browser loads something for, and the attribute that names it."""
LARGEST_PICTURE = 200_000

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


class Html(HTMLParser):
    """Ids, links, and what a page loads."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.loaded = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.ids |= {told[name] for name in ("id", "name") if told.get(name)}
        if tag == "a" and told.get("href"):
            self.links.append(told["href"])
        if told.get(LOADED.get(tag)) and told.get("rel") not in ("canonical", "next", "prev"):
            self.loaded.append(told[LOADED[tag]])


def build(target):
    """Build the site as ``make docs`` does."""
    pytest.importorskip("mkdocs", reason="mkdocs is not installed (pip install '.[docs]')")
    pytest.importorskip("mkdocstrings", reason="mkdocstrings is not installed (pip install '.[docs]')")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(target)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    target = tmp_path_factory.mktemp("built") / "site"
    told = build(target)
    assert "WARNING" not in told, told
    return target


@pytest.fixture(scope="module")
def parsed(site):
    return {path: Html(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}


def test_every_page_is_built_and_its_parts_are_filled(site):
    for path in pages():
        if path.is_relative_to(ROOT / "docs"):
            built = (site / path.relative_to(ROOT / "docs")).with_suffix(".html")
            assert built.is_file()
            assert "<!-- generated" not in built.read_text(encoding="utf-8")
    assert not list(site.rglob("*.py"))


def test_links_lead_somewhere(site, parsed):
    for path, page in parsed.items():
        for link in page.links:
            url = urlsplit(link)
            if url.scheme or path.name == "404.html":
                assert path.name == "404.html" or url.scheme in ("https", "http", "mailto"), f"{path}: {link}"
                continue
            target = path if not url.path else (path.parent / unquote(url.path)).resolve()
            target = target / "index.html" if target.is_dir() else target
            assert target.is_file(), f"{path}: {link}"
            if url.fragment and target in parsed:
                assert unquote(url.fragment) in parsed[target].ids | {"__skip"}, f"{path}: {link}"


def test_nothing_is_loaded_from_elsewhere(site, parsed):
    for path, page in parsed.items():
        assert not [one for one in page.loaded if urlsplit(one).scheme or one.startswith("//")], path
    for path in site.rglob("*.css"):
        urls = re.findall(r"(?:url\(|@import)\s*[\"']?([^\"')]+)", path.read_text(encoding="utf-8"))
        assert not [one for one in urls if one.startswith(("http", "//"))], path


def test_what_readme_and_pages_link_to_is_in_the_tree():
    """As GitHub shows them: paths from the file, headings as it names them."""
    for path in pages():
        text = path.read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
            if not urlsplit(link).scheme:
                assert (path.parent / link).resolve().is_file(), f"{path}: {link}"


def test_generated_parts_have_words_for_readers_of_the_file():
    for path in pages():
        text = path.read_text(encoding="utf-8")
        for name, words in re.findall(r"<!-- generated: ([a-z-]+) -->\n(.*?)<!-- end -->", text, re.DOTALL):
            assert words.strip().startswith("*"), f"{path}: {name}"


@pytest.mark.parametrize("name", ["page.png", "sheet.png"])
def test_pictures_are_small_and_said_to_be_synthetic(name):
    path = ROOT / "docs" / "pictures" / name
    assert path.stat().st_size < LARGEST_PICTURE
    with Image.open(path) as picture:
        assert picture.width >= 800
    for page in pages():
        lines = page.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            if f"pictures/{name})" in line:
                assert "synthetic" in " ".join(lines[number + 1 : number + 4]).lower(), f"{page}:{number}"


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian: apt-get install chromium)")
@pytest.mark.parametrize("width_px", [1280, 390])
def test_pages_fit_the_window_and_ask_for_nothing_outside(site, width_px):
    from playwright.sync_api import sync_playwright

    asked, faults = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": width_px, "height": 900})
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("pageerror", lambda error: faults.append(str(error)))
        for name in ("index.html", "own-clips.html", "methods/settings.html", "api.html", "errors.html"):
            tab.goto((site / name).as_uri())
            widths = tab.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
            assert widths[0] <= widths[1], f"{name} is wider than the window: {widths}"
        browser.close()
    assert not [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]
    assert not faults


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian: apt-get install chromium)")
def test_pages_from_disk_show_no_search_that_does_nothing(site):
    """Browsers keep the index from pages of files; from a server the button is there."""
    from playwright.sync_api import sync_playwright

    button = 'label.md-header__button[for="__search"]'
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 390, "height": 900})
        tab.goto((site / "start.html").as_uri())
        tab.wait_for_selector(button, state="hidden", timeout=20_000)
        tab.route(
            "http://docs.test/**",
            lambda route: route.fulfill(path=site / urlsplit(route.request.url).path[1:]),
        )
        tab.goto("http://docs.test/start.html")
        tab.wait_for_timeout(500)
        assert tab.locator(button).is_visible()
        browser.close()


CELLS = [
    {"cell_type": "markdown", "source": ["# Own clips\n", "text, see [home](../index.md)"]},
    {"cell_type": "code", "source": "print(1)", "outputs": [{"output_type": "stream", "text": ["1\n"]}]},
    {"cell_type": "code", "source": [], "outputs": []},
]


def test_notebooks_become_markdown(tmp_path):
    """Their cells in order, what was printed too; nothing is needed but the file."""
    from fgbench_docs.notebooks import as_markdown, notebook_files, title_of

    assert notebook_files(tmp_path) == []
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "own_clips.ipynb").write_text(json.dumps({"cells": CELLS}))
    (path,) = notebook_files(tmp_path)
    assert title_of(path) == "Own clips"
    assert as_markdown(path) == (
        "# Own clips\ntext, see [home](../index.md)\n\n```python\nprint(1)\n```\n\n```text\n1\n```\n\n"
        "*This page is the notebook `docs/notebooks/own_clips.ipynb`.*\n"
    )


def test_notebooks_are_pages_of_the_site(tmp_path):
    """With the settings of our site on what is left out, and its hooks."""
    pytest.importorskip("mkdocs")
    ours = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    (tmp_path / "docs" / "notebooks").mkdir(parents=True)
    (tmp_path / "docs" / "notebooks" / "own_clips.ipynb").write_text(json.dumps({"cells": CELLS}))
    (tmp_path / "docs" / "index.md").write_text("# Home\n")
    kept = {name: ours[name] for name in ("exclude_docs", "use_directory_urls", "validation")}
    hooks = [str(ROOT / name) for name in ours["hooks"]]
    config = {**kept, "site_name": "small", "hooks": hooks, "nav": [{"Home": "index.md"}], "plugins": []}
    (tmp_path / "mkdocs.yml").write_text(yaml.safe_dump(config))
    words = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "site" / "notebooks" / "own_clips.html").read_text(encoding="utf-8")
    assert "print(1)" in page
    assert "notebooks/own_clips.html" in (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert not list((tmp_path / "site").rglob("*.ipynb"))


def test_a_wrong_part_is_told():
    pytest.importorskip("mkdocs")
    from fgbench_docs.hooks import filled
    from mkdocs.exceptions import PluginError

    assert filled("a\n<!-- generated: exit-codes -->\nx\n<!-- end -->\nb", "p.md").startswith(
        "a\n| Exit code"
    )
    with pytest.raises(PluginError, match=r"p\.md: no generated part 'exit-code'"):
        filled("<!-- generated: exit-code -->\nx\n<!-- end -->", "p.md")
