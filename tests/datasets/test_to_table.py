"""From fake files of every data set to a row of the paper's tables, by the commands that users type."""

from __future__ import annotations

import csv
import json
from collections import Counter

import cv2
import pyarrow.parquet as pq
import pytest
from threadpoolctl import threadpool_limits
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.config import load_prepare
from fgbench.runs.samples import clip_samples, image_samples, moving_samples
from fgbench.taxonomy import leaves
from tests.support.chains import with_chains
from tests.support.fake_trees import moving, write_clip, write_text
from tests.support.layouts.afew import write_afew
from tests.support.layouts.oulu_casia import EMOTIONS, write_oulu
from tests.support.recipe_cases import AS_THEY_ARE, CASES, PARTS, UNITS

pytestmark = pytest.mark.slow

QUICK = "extends: lbp-svm\nnormalisations: [hellinger]\nkernels: [linear]\nc_values: [1.0]\ninner_folds: 3\n"
TRAJECTORIES = "extends: dense-traj-svm\nwords: 16\nsamples: 1000\nruns: 1\nc_values: [1.0]\n"
TRUNK = "input_px: 112, stem: 4, widths: [4, 4, 4, 8], norm: none"
FAST = "optimiser: {kind: adamw, learning_rate: 0.003, batch: 8, epochs: 1}"
FIRST = ("afew", "affectnet", "ck-plus", "fer-plus", "raf-db-compound")
"""Recipes of each kind: folders of clips, lists, sequences in folds, a table, compound classes."""
UNITS_RECIPE = f"""
name: units
action_units: [au01, au12]
trunk: {{{TRUNK}}}
fc_hidden: null
embedding: 8
{FAST}
data: {{resize_px: 232}}
"""
IMAGE_RECIPE = f"""
name: images
method: MSAU-Net (Ours)
network: {{trunk: {{{TRUNK}, region_layer: false}}, fc_hidden: null, embedding: 8, mac: false, zooms: 0}}
losses: {{rank: 0.0, alternate: false}}
{FAST}
data: {{resize_px: 232}}
"""
CLIP_RECIPE = f"""
name: clips
method: TMSAU-Net (Ours)
image_recipe: IMAGES
attention: {{size: 8}}
flow: {{input_px: 64, width: 0.0625, length: 2, train_snippets: 1, test_snippets: 2}}
{FAST}
data: {{enlarge: 1.0, crops: centre}}
"""


def write_moving(root):
    """Sequences of Oulu-CASIA of four subjects, long enough to be followed."""
    for subject in range(1, 5):
        for emotion in EMOTIONS:
            folder = root / "OriginalImg" / "VL" / "Strong" / f"P{subject:03d}" / emotion
            folder.mkdir(parents=True)
            for number, picture in enumerate(moving(f"{subject} {emotion}", emotion, 17)):
                cv2.imwrite(str(folder / f"{number:03d}.jpeg"), picture)


def write_fg_emotions(root):
    """A clip of each of the 33 classes in every part."""
    lines = ["clip,label,key_frame,split"]
    for part in PARTS:
        for leaf in leaves():
            write_clip(root / "videos" / f"{part}-{leaf.name}.mp4", 2, leaf.name)
            lines.append(f"{part}-{leaf.name}.mp4,{leaf.name},0,{part}")
    write_text(root / "annotations.csv", "\n".join(lines) + "\n")


@pytest.fixture(autouse=True)
def _small_matrices(one_thread):
    """Threads wait for each other longer than such small matrices take."""
    with threadpool_limits(1):
        yield


def fgbench(*words):
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done.stdout


def table(work, number):
    """Rows of a table as data, and the text for people."""
    text = fgbench("report", "--table", number, "--workdir", work, "--format", "csv")
    name = {"II": "table2", "III": "table3", "IV": "table4"}[number]
    with (work / "reports" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file)), text


def recounted(work, experiment):
    """Mean recall of the classes over the predictions of all folds, and the number of samples."""
    hits, wanted = Counter(), Counter()
    for path in (work / "runs" / experiment).glob("*/0/predictions.parquet"):
        for row in pq.read_table(path, columns=["label", "predicted"]).to_pylist():
            wanted[row["label"]] += 1
            hits[row["label"]] += row["label"] == row["predicted"]
    return sum(hits[label] / wanted[label] for label in wanted) / len(wanted), wanted.total()


def check_row(work, number, method, experiment, *, data, column, label):
    """The row of a method has the recounted value in its column and nothing in others; returns the value."""
    rows, text = table(work, number)
    assert column in rows[0], (
        f"no column {column!r} in {', '.join(rows[0])}: the title of a column is that of CARD in the "
        "adapter up to ' (', unless manifests/benchmarks.csv has another one"
    )
    (row,) = [row for row in rows if row["Method"] == method and row["Of"] in ("UAR", "UAR, folds pooled")]
    uar, n = recounted(work, experiment)
    assert (row["Data"], row["Protocol"]) == (data, label)
    assert float(row[column]) == pytest.approx(uar)
    values = {name for name, value in row.items() if value} - {"Method", "Of", "Data", "Protocol"}
    assert values == {column}
    assert f"{method} on {data} ({work.name}/runs/{experiment}): {label}" in text
    assert f"; {n:,} samples, 0 without a usable face" in text
    return uar, rows, text


@pytest.mark.parametrize(
    "case",
    with_chains(CASES, *(case for case in CASES if case.recipe not in FIRST)),
    ids=lambda case: case.recipe,
)
def test_from_files_to_a_row_of_table_3(case, tmp_path):
    root, work = tmp_path / "data", tmp_path / "work"
    case.write(root)
    recipe = case.command(tmp_path)
    check_of_files(recipe, root)
    few = ("--set", "buckets=2")
    fgbench("prepare", recipe, "--data-root", root, "--workdir", work, "--jobs", 1, *few)
    quick = write_text(tmp_path / "quick.yaml", QUICK)
    fgbench("baseline", "lbp-svm", "--workdir", work, "--recipe", quick, "--jobs", 1)
    prepared = load_prepare(recipe)
    uar, rows, text = check_row(
        work,
        "III",
        "LBP+SVM",
        "lbp-svm",
        data=f"{prepared.dataset.name}, {case.classes} classes",
        column=case.column,
        label=prepared.protocol.label or "parts of the data set",
    )
    assert uar > 2 / (case.classes + 1), "pictures of a class are alike"
    theirs = [row for row in rows if row["Of"] == "paper"]
    assert len(theirs) == 9
    assert any(row[case.column] for row in theirs) == case.is_of_the_paper
    assert (f"The paper's table does not have: {case.column}." in text) != case.is_of_the_paper


def check_of_files(recipe, root):
    """``fgbench check`` tells what differs from the published numbers, and what is next."""
    report = json.loads(fgbench("check", recipe, "--root", root, "--json"))
    lines = fgbench("check", recipe, "--root", root).splitlines()
    assert report["missing"] == 0
    assert report["problems"] == {}
    assert "(unknown)" not in "\n".join(lines)
    if report["known"]:
        assert not report["is_complete"]
        assert lines[-2].startswith("not as published: see above")
        assert any(line.startswith("differs: ") for line in lines)
    else:
        assert lines[-2] == "nothing is missing (published numbers are not known)"
    assert lines[-1] == f"next: fgbench prepare {recipe} --data-root {root}"


def test_from_files_to_a_row_of_table_2(tmp_path):
    """FG-Emotions has the paper's 33 classes, which are Table II."""
    root, work = tmp_path / "data", tmp_path / "work"
    write_fg_emotions(root)
    recipe = write_text(
        tmp_path / "mine.yaml", f"extends: default\nsample: {{before: 0, after: 0}}\n{AS_THEY_ARE}\n"
    )
    fgbench("prepare", recipe, "--data-root", root, "--workdir", work, "--jobs", 1)
    quick = write_text(tmp_path / "quick.yaml", QUICK)
    fgbench("baseline", "lbp-svm", "--workdir", work, "--recipe", quick, "--jobs", 1)
    rows, _ = table(work, "II")
    uar, n = recounted(work, "lbp-svm")
    (row,) = [row for row in rows if row["Method"] == "LBP+SVM" and row["Of"] == "this data set"]
    assert n == 33
    assert float(row["Mean"]) == pytest.approx(uar)
    assert uar > 0.1


def test_from_clips_to_a_row_of_table_4(tmp_path):
    root, work = tmp_path / "data", tmp_path / "work"
    write_afew(root, per_class=2, n_frames=18)
    recipe = write_text(tmp_path / "mine.yaml", f"extends: afew\n{AS_THEY_ARE}\n")
    fgbench("prepare", recipe, "--data-root", root, "--workdir", work, "--jobs", 1)
    quick = write_text(tmp_path / "quick.yaml", TRAJECTORIES)
    fgbench("baseline", "dense-traj-svm", "--workdir", work, "--recipe", quick, "--jobs", 1)
    check_row(
        work,
        "IV",
        "DenseTraj",
        "dense-traj-svm",
        data="afew, 7 classes",
        column="AFEW 7.0",
        label="AFEW 7.0 tested on official Val",
    )


@pytest.mark.chain
def test_from_folders_of_frames_to_a_row_of_table_4(tmp_path):
    """Methods of clips on sequences without frame rate, with classes of their own, in folds."""
    root, work = tmp_path / "data", tmp_path / "work"
    write_moving(root)
    label = "Oulu-CASIA 3-fold by subject"
    recipe = write_text(
        tmp_path / "mine.yaml",
        f"extends: oulu-casia-6\nprotocol: {{folds: 3, label: {label}}}\n{AS_THEY_ARE}\n",
    )
    fgbench("prepare", recipe, "--data-root", root, "--workdir", work, "--jobs", 1)
    images = write_text(tmp_path / "images.yaml", IMAGE_RECIPE)
    clips = write_text(tmp_path / "clips.yaml", CLIP_RECIPE.replace("IMAGES", str(images)))
    fgbench("train", "tmsau", "--workdir", work, "--recipe", clips, "--jobs", 1, "--device", "cpu")
    quick = write_text(tmp_path / "quick.yaml", TRAJECTORIES)
    fgbench("baseline", "dense-traj-svm", "--workdir", work, "--recipe", quick, "--jobs", 1)
    where = {"data": "oulu-casia-6, 6 classes", "column": "Oulu-CASIA", "label": label}
    for method, experiment in (("TMSAU-Net (Ours)", "clips"), ("DenseTraj", "dense-traj-svm")):
        assert sorted(path.name for path in (work / "runs" / experiment).iterdir()) == ["1", "2", "3"]
        check_row(work, "IV", method, experiment, **where)


def test_methods_of_clips_want_no_class_that_has_first_frames_alone(tmp_path):
    """A clip without motion would be told by that: once, all neutral entries were right for nothing."""
    root, work = tmp_path / "data", tmp_path / "work"
    write_oulu(root, 4)
    recipe = write_text(
        tmp_path / "mine.yaml",
        f"extends: oulu-casia\nprotocol: {{folds: 3, label: 3-fold by subject}}\n{AS_THEY_ARE}\n",
    )
    fgbench("prepare", recipe, "--data-root", root, "--workdir", work, "--jobs", 1)
    quick = write_text(tmp_path / "quick.yaml", TRAJECTORIES)
    words = ["baseline", "dense-traj-svm", "--workdir", str(work), "--recipe", str(quick), "--jobs", "1"]
    refused = CliRunner().invoke(app, words)
    assert refused.exit_code == 4
    assert "has single frames of neutral, and no clip to train methods of clips on" in refused.output
    assert "oulu-casia-6" in refused.output
    assert not list((work / "runs").rglob("result.json"))
    manifests = work / "manifests"
    assert len(moving_samples(manifests)) == 24
    assert len(clip_samples(manifests)) == 48
    assert {sample.label for sample in image_samples(manifests)} > {"neutral"}


@pytest.mark.parametrize("recipe", UNITS)
def test_from_files_to_scores_of_action_units(recipe, tmp_path):
    root, work = tmp_path / "data", tmp_path / "work"
    UNITS[recipe](root)
    mine = write_text(tmp_path / "mine.yaml", f"extends: {recipe}\n{AS_THEY_ARE}\n")
    check_of_files(mine, root)
    fgbench("prepare", mine, "--data-root", root, "--workdir", work, "--jobs", 1)
    units = write_text(tmp_path / "units.yaml", UNITS_RECIPE)
    words = ("train", "au", "--workdir", work, "--recipe", units, "--jobs", 1, "--device", "cpu")
    text = fgbench(*words, "--full")
    assert "| AU12 |" in text
    assert f"action units, test: {recipe}**" in text
    (result,) = (work / "runs" / "units").glob("*/0/au_result.json")
    assert f"run: {result.parent}" in text
    for words in (["train", "msau"], ["baseline", "lbp-svm"], ["report", "--table", "III"]):
        refused = CliRunner().invoke(app, [*words, "--workdir", str(work)])
        assert refused.exit_code in (4, 7)
        assert ("label set none has no classes" in refused.output) == (words[0] != "report")
    assert [path.name for path in (work / "runs").iterdir()] == ["units"]
    assert not (work / "manifests" / "features").exists()
