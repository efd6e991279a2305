"""From fake files of every data set to a row of the paper's tables, by the commands that users type."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import pyarrow.parquet as pq
import pytest
from fake_trees import moving, write_clip, write_pictures, write_text
from test_afew import write_afew
from test_aff_wild2 import write_aff
from test_affectnet import write_arrays, write_lists
from test_bp4d import write_bp4d
from test_ck_plus import write_cropped, write_sequences, write_units
from test_dfew import write_dfew
from test_disfa import write_disfa
from test_disfa_plus import write_disfa_plus
from test_emotionet import write_emotionet
from test_fer2013 import VOTES_HEAD, write_folders, write_table
from test_ferv39k import write_ferv39k
from test_jaffe import write_jaffe
from test_mafw import write_mafw
from test_mmi import write_session
from test_oulu_casia import EMOTIONS, write_oulu
from test_raf_au import write_raf_au
from test_raf_db import write_half
from test_sfew import ALIGNED, write_sfew
from test_unbc_mcmaster import write_unbc
from threadpoolctl import threadpool_limits
from typer.testing import CliRunner

from fgbench import plugins
from fgbench.cli.app import app
from fgbench.config import load_prepare
from fgbench.runs.samples import clip_samples, image_samples, moving_samples
from fgbench.taxonomy import leaves

PARTS = ("train", "val", "test")
QUICK = "extends: lbp-svm\nnormalisations: [hellinger]\nkernels: [linear]\nc_values: [1.0]\ninner_folds: 3\n"
TRAJECTORIES = "extends: dense-traj-svm\nwords: 16\nsamples: 1000\nruns: 1\nc_values: [1.0]\n"
TRUNK = "input_px: 112, stem: 4, widths: [4, 4, 4, 8], norm: none"
FAST = "optimiser: {kind: adamw, learning_rate: 0.003, batch: 8, epochs: 1}"
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


def write_fer_plus(root):
    """The table of FER2013, and ten votes for the label of each row; every second disgust is contempt."""
    labels = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]
    columns = VOTES_HEAD.split(",")[2:]
    lines = [VOTES_HEAD]
    for number in range(84):
        label = "contempt" if number % 42 == number % 21 and number % 7 == 1 else labels[number % 7]
        votes = ",".join("10" if column == label else "0" for column in columns)
        lines.append(f"{('Training', 'PublicTest', 'PrivateTest')[number // 7 % 3]},{number}.png,{votes}")
    write_text(write_table(root, 84) / "fer2013new.csv", "\n".join(lines) + "\n")


def write_mmi(root):
    """A session of every subject and emotion."""
    for subject in range(1, 11):
        for code in range(1, 7):
            write_session(root, 6 * subject + code, f"S{subject:03d}-{code:03d}", code, n_frames=3)


def write_mmi_units(root):
    """A session of six subjects with AU 4 to 12, of which 12 is at its apex in the end."""
    rest, rising = [(1, 0), (4, 0)], [(1, 0), (2, 1), (3, 2), (4, 2)]
    for subject in range(1, 7):
        write_session(root, subject, f"S{subject:03d}-001", None, units=[*[rest] * 8, rising], n_frames=4)


def write_own_units(root):
    """Clips of six persons, in whose second half AU 12 is present."""
    lines = ["clip,frame,AU12"]
    for person in range(6):
        write_clip(root / "videos" / f"c{person}.mp4", 4)
        lines += [f"c{person},{frame},{int(frame > 1)}" for frame in range(4)]
    write_text(root / "action_units.csv", "\n".join(lines) + "\n")
    write_text(root / "annotations.csv", "clip,subject\n" + "".join(f"c{n},s{n}\n" for n in range(6)))


def write_moving(root):
    """Sequences of Oulu-CASIA of four subjects, long enough to be followed."""
    for subject in range(1, 5):
        for emotion in EMOTIONS:
            folder = root / "OriginalImg" / "VL" / "Strong" / f"P{subject:03d}" / emotion
            folder.mkdir(parents=True)
            for number, picture in enumerate(moving(f"{subject} {emotion}", emotion, 17)):
                cv2.imwrite(str(folder / f"{number:03d}.jpeg"), picture)


def write_folder(root):
    for part in PARTS:
        for label in ("Smile", "no smile"):
            write_pictures(root / part / label, [f"{part}{number}.png" for number in range(3)], label)


def write_fg_emotions(root):
    """A clip of each of the 33 classes in every part."""
    lines = ["clip,label,key_frame,split"]
    for part in PARTS:
        for leaf in leaves():
            write_clip(root / "videos" / f"{part}-{leaf.name}.mp4", 2, leaf.name)
            lines.append(f"{part}-{leaf.name}.mp4,{leaf.name},0,{part}")
    write_text(root / "annotations.csv", "\n".join(lines) + "\n")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A packed recipe and fake files for it.

    Attributes:
        recipe: Its name.
        write: Writes the files.
        classes: Number of classes.
        column: Column of the table.
        is_of_the_paper: Whether the paper's table has that column.
        changes: Keys of the recipe that are set otherwise: faces are not searched in pictures without any.
    """

    recipe: str
    write: Callable[[Path], object]
    classes: int = 7
    column: str
    is_of_the_paper: bool = True
    changes: str = ""

    def command(self, folder: Path) -> str:
        """What is prepared: the packed recipe, or one in a folder that extends it."""
        if not self.changes:
            return self.recipe
        return str(write_text(folder / "mine.yaml", f"extends: {self.recipe}\n{self.changes}\n"))


AS_THEY_ARE = "buckets: 2\nfaces: {align: never}\naugment: {balance: none}"
OWN = {"is_of_the_paper": False}
CASES = [
    Case(
        recipe="afew",
        write=lambda root: write_afew(root, per_class=4),
        column="AFEW 7.0",
        changes=AS_THEY_ARE,
        **OWN,
    ),
    Case(
        recipe="affectnet",
        write=lambda root: write_lists(root, per_class=4),
        classes=8,
        column="AffectNet",
        changes=AS_THEY_ARE,
    ),
    Case(
        recipe="affectnet-arrays-7",
        write=lambda root: write_arrays(root, range(32)),
        column="AffectNet",
        changes="buckets: 2",
    ),
    Case(recipe="ck-plus", write=lambda root: write_sequences(root, 21), column="CK+", changes=AS_THEY_ARE),
    Case(
        recipe="ck-plus-contempt",
        write=lambda root: write_sequences(root, 21),
        column="CK+",
        changes=AS_THEY_ARE,
    ),
    Case(recipe="ck-plus-48", write=lambda root: write_cropped(root, 21), column="CK+"),
    Case(recipe="dfew", write=write_dfew, column="DFEW", **OWN),
    Case(recipe="fer-plus", write=write_fer_plus, classes=8, column="FER+", **OWN),
    Case(recipe="fer2013", write=lambda root: write_table(root, 63), column="FER2013"),
    Case(recipe="fer2013-folders", write=lambda root: write_folders(root, 6), column="FER2013"),
    Case(recipe="ferv39k", write=write_ferv39k, column="FERV39k", **OWN),
    Case(
        recipe="folder",
        write=write_folder,
        classes=2,
        column="my-smiles",
        changes=f"dataset: {{name: my-smiles}}\n{AS_THEY_ARE}",
        **OWN,
    ),
    Case(recipe="jaffe", write=write_jaffe, column="JAFFE", changes=AS_THEY_ARE, **OWN),
    Case(
        recipe="mafw",
        write=lambda root: write_mafw(root, 55),
        classes=11,
        column="MAFW",
        changes=AS_THEY_ARE,
        **OWN,
    ),
    Case(recipe="mmi", write=write_mmi, column="MMI", changes=AS_THEY_ARE),
    Case(recipe="mmi-6", write=write_mmi, classes=6, column="MMI", changes=AS_THEY_ARE),
    Case(
        recipe="oulu-casia",
        write=lambda root: write_oulu(root, 10),
        column="Oulu-CASIA",
        changes=AS_THEY_ARE,
        **OWN,
    ),
    Case(recipe="raf-db", write=lambda root: write_half(root, per_class=4), column="RAF-DB Basic"),
    Case(
        recipe="raf-db-compound",
        write=lambda root: write_half(root, "compound", n_classes=11, per_class=4),
        classes=11,
        column="RAF-DB Compound",
    ),
    Case(recipe="sfew", write=lambda root: write_sfew(root, n_films=4), column="SFEW", changes=AS_THEY_ARE),
    Case(recipe="sfew-aligned", write=lambda root: write_sfew(root, ALIGNED, n_films=4), column="SFEW"),
]
UNITS = {
    "bp4d": write_bp4d,
    "disfa": write_disfa,
    "disfa-plus": write_disfa_plus,
    "unbc-mcmaster": write_unbc,
    "aff-wild2": write_aff,
    "raf-au": write_raf_au,
    "emotionet": write_emotionet,
    "ck-plus-units": write_units,
    "mmi-units": write_mmi_units,
    "action-units": write_own_units,
}


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
    (row,) = [row for row in rows if row["Method"] == method and row["Of"] in ("UAR", "UAR, folds pooled")]
    uar, n = recounted(work, experiment)
    assert (row["Data"], row["Protocol"]) == (data, label)
    assert float(row[column]) == pytest.approx(uar)
    values = {name for name, value in row.items() if value} - {"Method", "Of", "Data", "Protocol"}
    assert values == {column}
    assert f"{method} on {data} ({work.name}/runs/{experiment}): {label}" in text
    assert f"; {n:,} samples, 0 without a usable face" in text
    return uar, rows, text


def test_no_adapter_is_forgotten():
    tested = [load_prepare(name).dataset.adapter for name in (*[case.recipe for case in CASES], *UNITS)]
    assert {*tested, "fg_emotions"} == set(plugins.own_names("datasets"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.recipe)
def test_from_files_to_a_row_of_table_3(case, tmp_path):
    root, work = tmp_path / "data", tmp_path / "work"
    case.write(root)
    recipe = case.command(tmp_path)
    check_of_files(recipe, root)
    fgbench("prepare", recipe, "--data-root", root, "--workdir", work, "--jobs", 1)
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
    told = json.loads(fgbench("check", recipe, "--root", root, "--json"))
    lines = fgbench("check", recipe, "--root", root).splitlines()
    assert told["missing"] == 0
    assert told["problems"] == {}
    assert "(unknown)" not in "\n".join(lines)
    if told["known"]:
        assert not told["is_complete"]
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
    write_afew(root, per_class=4, n_frames=18)
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


@pytest.mark.slow
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
