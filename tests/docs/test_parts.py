"""The generated parts of the documentation hold all that the code has."""

import html
import json
import re
import tomllib
from functools import cache

import pytest
from fgbench_docs.parts import PARTS
from typer.testing import CliRunner

import fgbench
from fgbench.catalogue.recipes import recipe_cards
from fgbench.cli.app import app
from fgbench.config import load_prepare
from fgbench.errors import EXIT_CODES
from fgbench.faces.status import STATUSES
from fgbench.media.images import decode
from fgbench.media.video import open_video
from fgbench.taxonomy import leaves
from tests.support.clip_folders import write_folder
from tests.support.doc_blocks import ROOT, pages


@cache
def part(name):
    return html.unescape(PARTS[name]()).replace("\\", "")


def rows(name):
    """First cells of the rows of a part, and whole rows."""
    cells = [line.split(" | ") for line in part(name).splitlines() if line.startswith("| ")]
    return {row[0].removeprefix("| ").strip("`"): row for row in cells}


def test_versions_that_are_not_taken_are_explained():
    """A user meets the bound when pip refuses, and looks for the package there."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(one for name in sorted(extras) for one in extras[name])]
    bounds = dict(match.groups() for one in wanted if (match := re.match(r"([\w-]+).*<(\d+)", one)))
    assert bounds == {"av": "19"}
    for package, bound in bounds.items():
        assert f"not {bound}" in text[text.index(f"takes `{package}`") :].split("|")[0]


def test_every_part_is_in_a_page_and_has_text():
    used = {
        name
        for path in pages()
        for name in re.findall(r"<!-- generated: ([a-z-]+) -->", path.read_text(encoding="utf-8"))
    }
    assert used == set(PARTS)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PARTS if name not in ("api", "coverage", "paper-print")])
def test_rows_of_tables_have_as_many_cells_as_their_titles(name):
    """Whatever their text holds: bars, backquotes, line ends."""
    width = 0
    for line in PARTS[name]().splitlines():
        if not line.startswith("|"):
            width = 0
            continue
        cells = len(re.findall(r"(?<!\\)\|", line)) - 1
        assert width in (0, cells), line
        width = cells


def test_every_command_and_option_is_there():
    text = part("commands")
    sections = dict(re.findall(r"^## fgbench ([a-z -]+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    frozen = (ROOT / "tests/cli/commands.txt").read_text(encoding="utf-8").splitlines()
    checked = 0
    for line in frozen:
        command, _, parameter = line.rpartition(" ")
        for option in parameter.split("/"):
            if option.startswith("--"):
                assert option in sections[command], line
                checked += 1
    assert checked > 100


@pytest.mark.slow
def test_every_setting_is_there_with_its_documentation():
    text = part("settings")
    done = CliRunner().invoke(app, ["recipes", "msau", "--json"])
    for key in json.loads(done.stdout)["keys"]:
        if not key.get("is_section"):
            first = " ".join(key["doc"].split()[:3]).replace("``", "`")
            assert first in text, key["key"]


@pytest.mark.slow
def test_every_recipe_and_class_is_there():
    text = part("method-recipes")
    names = [card.name for card in recipe_cards() if card.kind != "prepare" and not card.package]
    assert re.findall(r"^### (.+)$", text, re.MULTILINE) == names
    assert set(re.findall(r"`([a-z]+)`", part("classes"))) == {leaf.name for leaf in leaves()}
    assert {*rows("frame-statuses")} >= {*STATUSES}
    assert {str(code) for code in (0, 1, 2, 130, *EXIT_CODES.values())} <= set(rows("exit-codes"))
    packed = {card.name for card in recipe_cards() if card.kind == "prepare"}
    own = {"default", "demo", "folder", "fg-emotions", "action-units"}
    assert packed - own <= set(re.findall(r"`([a-z0-9-]+)`", part("data-sets")))


def test_every_public_name_is_in_the_reference():
    headings = re.findall(r"heading: fgbench\.(\w+)", PARTS["api"]())
    assert sorted(headings) == sorted(set(fgbench.__all__) - {"__version__"})


def templates(name):
    """Messages of a part as patterns: what is in angle brackets is anything; those of few letters apart."""
    cells = [line.split(" | ")[0].removeprefix("| ") for line in part(name).splitlines()]
    telling = [cell for cell in cells if len(re.sub(r"<[^<>]*>", "", cell).strip()) > LEAST_TEXT]
    return [re.compile(".*".join(map(re.escape, re.split(r"<[^<>]*>", cell)))) for cell in telling]


LEAST_TEXT = 3


FAULTS = {
    "a name": lambda folder: load_prepare("no-such-recipe"),
    "a picture": lambda folder: decode(b"nothing"),
    "a video": lambda folder: open_video(folder / "absent.mp4"),
    "a work folder": lambda folder: fgbench.open(folder / "absent"),
    "a face": lambda folder: fgbench.lbp(None),
    "labels": lambda folder: fgbench.score(["a"], ["a", "b"]),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_errors_that_are_raised_are_listed(fault, tmp_path):
    with pytest.raises(fgbench.FgbenchError) as raised:
        FAULTS[fault](tmp_path)
    message = " ".join(raised.value.message.split())
    assert any(one.fullmatch(message) for one in templates("errors")), message


@pytest.mark.slow
def test_reasons_of_rejects_are_listed(tmp_path):
    root = write_folder(tmp_path / "in", 4, n_frames=4)
    (root / "videos" / "c000.mp4").write_bytes(b"")
    (root / "videos" / "c001.mp4").write_bytes(b"no video at all" * 100)
    with (root / "annotations.csv").open("a") as file:
        file.write("absent.mp4,anger,0,s1\nc002.mp4,anger,0,s1\n")
    (tmp_path / "mine.yaml").write_text(
        "extends: default\nname: mine\nfaces: {align: never}\nmax_reject_rate: 1\nbuckets: 1\n"
    )
    words = [
        "prepare",
        str(tmp_path / "mine.yaml"),
        "--data-root",
        str(root),
        "--workdir",
        str(tmp_path / "work"),
    ]
    CliRunner().invoke(app, [*words, "--jobs", "1"])
    found = set(fgbench.open(tmp_path / "work").rejects["reason"])
    assert len(found) >= 3
    assert found <= set(rows("reject-reasons"))
