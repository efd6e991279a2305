"""The plug-ins of the pages on extending, in a package, keep the contract of their kind and are used."""

import json
import re
import tomllib

import pytest

from tests.support.clip_folders import write_plain_clip
from tests.support.doc_blocks import ROOT, block, blocks
from tests.support.packages_of_others import fgbench, install
from tests.support.stranger_package import write_wheel

pytestmark = pytest.mark.slow

PAGES = {
    "datasets": ("my-faces", "docs/extending/datasets.md"),
    "detectors": ("bright-square", "docs/extending/detectors.md"),
    "decoders": ("plain-av", "docs/extending/decoders.md"),
    "engines": ("one-by-one", "docs/extending/engines.md"),
    "stages": ("brightness", "docs/extending/stages.md"),
    "tables": ("how-many", "docs/extending/tables.md"),
    "figures": ("a-dot", "docs/extending/figures.md"),
}
"""Kind to the name of the plug-in and its page; methods and networks are tested where methods are."""


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A folder with the package of all pages, installed in ``site``."""
    folder = tmp_path_factory.mktemp("pages")
    modules = {kind: block(page, '"""') for kind, (_, page) in PAGES.items()}
    points = {kind: {name: kind} for kind, (name, _) in PAGES.items()}
    install(folder / "site", write_wheel(folder, points, modules, package="of_pages"))
    return folder


def test_every_kind_of_plug_in_has_a_page():
    from fgbench.plugin_shapes import SHAPES

    assert {*PAGES, "methods"} == set(SHAPES)
    tested = {
        one.page for one in blocks() if one.page.startswith("docs/extending/") and one.language == "python"
    }
    assert tested == {
        *(page for _, page in PAGES.values()),
        *(f"docs/extending/{x}.md" for x in ("methods", "networks")),
    }


@pytest.mark.parametrize("kind", PAGES)
def test_it_keeps_the_contract_of_its_kind(here, kind):
    done = fgbench("check-plugin", f"{kind}/{PAGES[kind][0]}", site=here / "site", cwd=here)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok" in done.stdout


def test_the_package_of_the_index_has_the_module_of_its_page():
    project = tomllib.loads(block("docs/extending/index.md", "[build-system]", "toml"))["project"]
    assert project["entry-points"] == {"fgbench.datasets": {"my-faces": "my_faces.dataset"}}
    assert re.search(
        r"`my_faces/dataset.py`, which is in \[Data sets\]", (ROOT / "docs/extending/index.md").read_text()
    )


def test_the_data_set_decoder_engine_and_stage_prepare(here):
    for number in range(6):
        write_plain_clip(
            here / "pictures" / f"p{number}_{('anger', 'fear')[number % 2]}_0.mp4", 1, seed=number
        )
    recipe = (
        "extends: my-faces-grouped\nname: all\ningest: {decoder: plain-av}\nfaces: {align: never}\n"
        "features: {brightness: {scale: 2.0}}\n"
    )
    (here / "all.yaml").write_text(recipe)
    for path in (here / "pictures").glob("*.mp4"):
        frame = path.with_suffix(".jpg")
        _first_frame(path, frame)
        path.unlink()
    done = fgbench(
        *("prepare", "all.yaml", "--data-root", "pictures", "--workdir", "work", "--engine", "one-by-one"),
        *("--jobs", 1, "--json"),
        site=here / "site",
        cwd=here,
    )
    assert done.returncode == 0, done.stderr
    index = json.loads((here / "work" / "manifests" / "index.json").read_text())
    assert any(name.startswith("features/brightness/") for name in index["files"])
    shown = fgbench("report", "--table", "how-many", "--workdir", "work", site=here / "site", cwd=here)
    assert "| runs | 0 |" in shown.stdout, shown.stdout + shown.stderr


def _first_frame(video, picture):
    import av

    with av.open(str(video)) as container:
        next(container.decode(video=0)).to_image().save(picture)


def test_the_detector_of_the_page_finds_what_it_says():
    import numpy as np

    names: dict[str, object] = {}
    exec(block(PAGES["detectors"][1], '"""'), names)
    picture = np.zeros((200, 300), np.uint8)
    picture[50:114, 100:164] = 255
    (found,) = names["open_detector"]().detect(picture)
    assert found.box_xyxy.tolist() == [100, 50, 164, 114]
    assert names["open_detector"]().detect(np.zeros((200, 300), np.uint8)) == []
