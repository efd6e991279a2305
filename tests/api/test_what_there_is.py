"""Recipes, label sets, data sets and the state of the machine as values."""

import csv
import importlib.metadata

import pytest
import yaml

import fgbench
from fgbench.api.labels import ClassCounts
from fgbench.api.recipes import recipes_json, recipes_lines
from fgbench.config import parse_prepare
from fgbench.resources import resource
from tests.support.fake_trees import write_pictures, write_text


def test_recipes_are_the_files_and_the_defaults_of_methods():
    listed = fgbench.recipes()
    files = {path.stem for path in resource("pipelines").rglob("*.yaml")}
    assert files <= {one.name for one in listed}
    commands = {one.command for one in listed}
    assert {"prepare", "train msau", "train tmsau", "train au", "baseline lbp-svm"} <= commands
    assert recipes_json(listed)[0].keys() == {"name", "command", "usage", "data_set", "description"}
    lines = recipes_lines(listed)
    assert len(lines) == len(listed) + len(commands)
    assert lines[0] == "fgbench prepare"


def test_the_text_of_a_recipe_is_the_recipe():
    shown = fgbench.recipe("raf_db")
    assert (shown.name, shown.command, shown.data_set) == (
        "raf-db",
        "prepare",
        "RAF-DB (Real-world Affective Faces)",
    )
    assert parse_prepare(shown.yaml, "raf-db") == shown.settings
    values = {key.path: key.value for key in shown.keys if not key.is_section}
    assert values["split.group_by"] == yaml.safe_load(shown.yaml)["split"]["group_by"]
    with pytest.raises(fgbench.FgbenchError, match="did you mean 'raf-db'"):
        fgbench.recipe("raf-bd")


def test_label_sets_have_the_classes_of_the_table():
    with resource("manifests", "taxonomy.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    first = fgbench.label_sets()[0]
    assert [one.label for one in first.classes] == [row["class"] for row in rows]
    assert first.is_fine
    assert {one.name for one in fgbench.label_sets()} >= {"fg33", "ekman6", "ekman7"}
    seven = fgbench.label_set("ekman7")
    happy = next(one for one in seven.classes if one.label == "happiness")
    assert "happy" in happy.spellings
    assert set(happy.leaves) == {row["class"] for row in rows if row["upper_class"] == "happiness"}
    assert seven.lines()[0].startswith("ekman7: 7 classes. ")
    assert len(seven.lines(full=True)) == 8


def test_classes_of_a_work_folder_are_counted(work):
    counts = work.class_counts
    assert counts.index.tolist() == ["anger", "panic", "relief"]
    expected = work.clips.groupby(["label", "split"]).size()
    for label in counts.index:
        for part in ("train", "val", "test"):
            assert counts.loc[label, part] == expected.get((label, part), 0)
    assert counts["upper"].tolist() == ["anger", "fear", "happiness"]


def test_own_classes_of_a_work_folder_have_no_blank_column():
    clips = {"train": 3, "val": 0, "test": 1}
    names = ("Mild boredom", "Zeal")
    counts = ClassCounts(
        name="free",
        data_set="mine",
        upper=dict.fromkeys(names),
        clips=dict.fromkeys(names, clips),
    )
    assert counts.lines()[1:] == [
        "  class         train    val   test",
        "  Mild boredom      3      0      1",
        "  Zeal              3      0      1",
    ]


def test_data_sets_are_listed_with_their_folder_and_surveyed(tmp_path):
    lines = ["train_00001.jpg 1", "train_00002.jpg 4", "test_00001.jpg 4"]
    write_text(tmp_path / "raf-db/basic/EmoLabel/list_patition_label.txt", "\n".join(lines))
    write_pictures(
        tmp_path / "raf-db/basic/Image/aligned", ["train_00001_aligned.jpg", "test_00001_aligned.jpg"]
    )
    there = {one.adapter: one.folder for one in fgbench.data_sets(tmp_path) if one.folder is not None}
    assert there == {"raf-db": tmp_path / "raf-db"}
    found = fgbench.survey("raf-db", tmp_path / "raf-db")
    assert found.counts == {"train": {"surprise": 1, "happiness": 1}, "test": {"happiness": 1}}
    assert found.missing == 1
    assert not found.is_complete
    with pytest.raises(fgbench.FgbenchError, match="no folder"):
        fgbench.data_sets(tmp_path / "absent")


def test_the_state_of_the_machine_is_told():
    health = fgbench.doctor()
    assert health.missing == ()
    health.check()
    assert health.facts["extras"]["torch"] == importlib.metadata.version("torch")
    assert "models:" in health.lines()
    health.facts["decoders"]["pyav"] = "missing: no such library"
    assert health.missing == ("pyav",)
    with pytest.raises(fgbench.FgbenchError, match="not usable: pyav"):
        health.check()


def test_plugins_are_tried_by_name():
    (checked,) = fgbench.check_plugin("tables/table1")
    assert (checked.kind, checked.name, checked.faults) == ("tables", "table1", ())
    with pytest.raises(fgbench.FgbenchError, match="unknown plug-in 'nothing'"):
        fgbench.check_plugin("nothing")
