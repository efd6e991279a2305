"""Table I and Figure 3: numbers counted by hand, formats, labels of synthetic data."""

import csv
import io
import json
import shutil

import pytest

from fgbench import storage
from fgbench.config import PrepareConfig
from fgbench.errors import ManifestError
from fgbench.preparation import prepare
from fgbench.reports.experiments import NoRunError
from fgbench.reports.figures import figure3
from fgbench.reports.rendering.drawings import png
from fgbench.reports.rendering.render import comma_separated, markdown
from fgbench.reports.rendering.table import Table
from fgbench.reports.tables import table1
from fgbench.workfolders.sealed_json import SEAL
from tests.support.clip_folders import write_folder
from tests.support.divided_work import EKMAN7, described, ekman_index, write_work


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Thirty-six clips: every class once, the first three twice; parts 20 / 6 / 10 by official list."""
    here = tmp_path_factory.mktemp("report")
    root = write_folder(here / "clips", 36)
    lines = (root / "annotations.csv").read_text().splitlines()
    parts = ["train"] * 20 + ["val"] * 6 + ["test"] * 10
    rows = [f"{line},{part}" for line, part in zip(lines[1:], parts, strict=True)]
    (root / "annotations.csv").write_text("\n".join([f"{lines[0]},split", *rows]) + "\n")
    recipe = {
        "name": "report",
        "faces": {"align": "never"},
        "augment": {"copies": 2},
        "dataset": {"name": "mine", "synthetic": True},
    }
    prepare.run(PrepareConfig.model_validate(recipe), root, here / "work")
    return here / "work"


@pytest.mark.slow
def test_table1_counts_and_differences(work):
    table = table1.build(work)
    rows = {(row[0], row[1]): tuple(row[2:]) for row in table.rows}
    # 8 frames a clip, 7 near the key frame; two copies of each in train.
    assert rows["Image", "this data set"] == (140, 42, 70, 252)
    assert rows["Video", "this data set"] == (20, 6, 10, 36)
    assert rows["Augmented Image", "this data set"] == (420, 42, 70, 532)
    # Paper, Table I.
    assert rows["Image", "paper"] == (7826, 1500, 1045, 10371)
    assert rows["Video", "paper"] == (825, 275, 391, 1491)
    assert rows["Augmented Image", "paper"] == (12826, 2580, 2055, 17461)
    assert rows["Video", "difference"] == (20 - 825, 6 - 275, 10 - 391, 36 - 1491)


@pytest.mark.slow
def test_synthetic_data_are_named_in_every_title(work):
    assert table1.build(work).title == "Table I. Data set statistics: mine (SYNTHETIC data)"
    assert "(SYNTHETIC data)" in figure3.build(work).table.title


@pytest.mark.slow
def test_classes_without_upper_classes_have_no_blank_column(work, tmp_path):
    shutil.copytree(work, tmp_path / "own")
    path = tmp_path / "own" / "manifests" / "index.json"
    index = json.loads(path.read_text())
    index.update(scheme="free")
    path.write_text(json.dumps({key: value for key, value in index.items() if key != SEAL}))
    own = figure3.build(tmp_path / "own").table
    assert "Upper class" in figure3.build(work).table.columns
    assert "Upper class" not in own.columns
    assert all(len(row) == len(own.columns) and None not in row for row in own.rows)


@pytest.mark.slow
def test_figure3_counts_per_class(work):
    rows = {row[0]: tuple(row[1:]) for row in figure3.build(work).table.rows}
    assert len(rows) == 33
    assert rows["anger"] == ("anger", 14, 2, 28)  # once in train (7 + 14), once in test (7)
    assert rows["surprise"] == ("surprise", 7, 1, 7)
    assert sum(row[2] for row in rows.values()) == 36


@pytest.mark.slow
def test_figure3_is_drawn_with_named_axes(work):
    drawing = figure3.build(work).draw()
    panels = drawing.axes
    assert [panel.get_ylabel() for panel in panels] == ["Images", "Videos (clips)", "Augmented Images"]
    assert panels[-1].get_xlabel() == "Fine-grained class"
    assert [label.get_text() for label in panels[-1].get_xticklabels()][:2] == ["anger", "contempt"]
    heights = [bar.get_height() for bar in panels[1].patches]
    assert heights == [row[3] for row in figure3.build(work).table.rows]
    assert png(figure3.build(work).draw()) == png(figure3.build(work).draw())


def test_figure3_of_other_classes_shows_those(tmp_path):
    folder = write_work(
        tmp_path / "ck", described(), **ekman_index(files={"images/all-00000.parquet": {"sha256": "0" * 64}})
    )
    figure = figure3.build(folder)
    assert [row[0] for row in figure.table.rows] == [*EKMAN7]
    assert {tuple(row[1:]) for row in figure.table.rows} == {(10, 10, 10)}
    drawing = figure.draw()
    assert [label.get_text() for label in drawing.axes[-1].get_xticklabels()] == list(EKMAN7)
    assert drawing.axes[-1].get_xlabel() == "Class"
    assert drawing.legends == []
    index = storage.read_json(folder / "manifests" / "index.json")
    storage.write_json(folder / "manifests" / "index.json", index | {"scheme": "none", "classes": []})
    with pytest.raises(NoRunError, match="ck-plus has no classes to count"):
        figure3.build(folder)


def test_markdown_and_csv():
    table = Table(
        name="t",
        title="A <b>|",
        columns=["x", "n"],
        rows=[["a|b", 12345], ["<script>", None]],
        notes=["note"],
    )
    assert markdown(table) == (
        "**A \\<b\\>\\|**\n\n| x | n |\n| :--- | ---: |\n| a\\|b | 12,345 |\n| \\<script\\> |  |\n\n- note\n"
    )
    assert list(csv.reader(io.StringIO(comma_separated(table)))) == [
        ["x", "n"],
        ["a|b", "12345"],
        ["<script>", ""],
    ]


def test_without_manifests_there_is_a_clear_error(tmp_path):
    with pytest.raises(ManifestError, match="no complete manifests"):
        table1.build(tmp_path)
