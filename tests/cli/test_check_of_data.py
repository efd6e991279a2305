"""``fgbench check`` on data that are laid out otherwise than it was told: the right diagnosis."""

import pytest
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.config import PrepareConfig, load_prepare
from fgbench.preparation import prepare
from fgbench.workfolders.manifest_index import read_index
from tests.support.clip_folders import write_folder
from tests.support.fake_trees import write_picture, write_pictures, write_text

EMOTIONS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")


def check(*arguments):
    """Exit code, output and errors, each on one line of single blanks where it is an error."""
    done = CliRunner().invoke(app, ["check", *map(str, arguments)])
    return done.exit_code, done.stdout, " ".join(done.stderr.split())


def test_jaffe_in_folders_of_its_expressions_is_read_by_the_names_of_the_files(tmp_path):
    names = {"angry": "KA.AN1.39", "happy": "KA.HA1.29", "sad": "KL.SA2.50"}
    for folder, name in names.items():
        write_picture(tmp_path / "jaffe" / folder / f"{name}.tiff", folder)
    code, reported, _ = check("jaffe", "--root", tmp_path)
    assert code == 0
    assert "3 entries of 2 subjects in" in reported
    assert "3 of 3 pictures and videos are used" in reported


def test_renamed_jaffe_in_class_folders_is_sent_to_the_recipe_of_folders(tmp_path):
    for index, name in enumerate(EMOTIONS):
        write_pictures(tmp_path / name, [f"{number}.png" for number in range(index + 1)], name)
    code, _, error = check("jaffe", "--root", tmp_path)
    assert code == 4
    assert "it holds 28 pictures, by folder: angry 1, disgust 2, fear 3" in error
    assert "its folders are named as classes (angry, disgust, fear, happy, neutral, sad and 1 more)" in error
    assert f"fgbench check folder --root {tmp_path}" in error
    code, reported, _ = check("folder", "--root", tmp_path)
    assert code == 0
    assert "28 of 28 pictures and videos are used" in reported


def test_own_clips_are_not_held_against_published_numbers(tmp_path):
    write_folder(tmp_path / "in", 3)
    with (tmp_path / "in/annotations.csv").open("a") as file:
        file.write("gone,wrath\n")
    code, reported, _ = check("default", "--root", tmp_path / "in")
    assert code == 0
    assert "missing files: 1, e.g. gone" in reported
    assert "published" not in reported
    assert "incomplete: see above; what is there can be prepared" in reported


@pytest.mark.parametrize("parts", [("train", "validation"), ("train", "validation", "test")])
def test_validation_folders_of_fer2013_are_counted(tmp_path, parts):
    for part in parts:
        for name in EMOTIONS:
            write_pictures(tmp_path / part / name, ["1.jpg", "2.jpg"], name)
    code, reported, _ = check("fer2013-folders", "--root", tmp_path)
    assert code == 0
    n_pictures = 14 * len(parts)
    assert f"{n_pictures} entries in" in reported
    assert f"{n_pictures} of {n_pictures} pictures and videos are used" in reported
    assert "train: 14 entries, published are 28,709" in reported


@pytest.mark.parametrize("wrapping", ["images", "some/where", "data/Images"])
def test_a_folder_around_the_class_folders_is_passed_through(tmp_path, wrapping):
    for name in EMOTIONS:
        write_picture(tmp_path / wrapping / name / "1.png", name)
    if wrapping == "some/where":
        tmp_path /= "some"
    code, reported, _ = check("folder", "--root", tmp_path)
    assert code == 0
    assert "7 entries in" in reported
    assert "images " not in reported
    assert "\nangry" in reported
    assert "no_pictures" not in reported


def test_a_single_class_called_images_is_told_to_be_one(tmp_path):
    write_pictures(tmp_path / "images", ["1.png", "2.png"])
    code, reported, _ = check("folder", "--root", tmp_path)
    assert code == 0
    assert (
        "there is a single folder, images, which is taken for the only class; expected one for each"
        in reported
    )
    assert "annotations.csv (clip,label)" in reported


@pytest.mark.slow
def test_the_table_that_holds_the_labels_is_named(tmp_path):
    code, reported, _ = check("folder", "--root", write_folder(tmp_path / "my-clips", 2))
    assert code == 0
    assert "there is a single folder, videos, which is taken for the only class" in reported
    assert "The labels are in annotations.csv: take the recipe default" in reported
    assert reported.splitlines()[-1] == f"next: fgbench prepare default --data-root {tmp_path}/my-clips"


def test_a_table_of_labels_beside_folders_of_films_is_not_passed_over(tmp_path):
    root = write_folder(tmp_path / "my clips", 4)
    for index, path in enumerate(sorted((root / "videos").iterdir())):
        (root / "videos" / f"film{index % 2}").mkdir(exist_ok=True)
        path.rename(root / "videos" / f"film{index % 2}" / path.name)
    table = root / "annotations.csv"
    head, *rows = table.read_text().splitlines()
    table.write_text("\n".join([head, *(f"film{index % 2}/{row}" for index, row in enumerate(rows))]))
    code, reported, _ = check("folder", "--root", root)
    assert code == 0
    assert (
        "warning: annotations.csv is not read: the names of the folders are taken for the classes (film0, "
        "film1). For the labels of the table take the recipe default" in reported
    )
    assert reported.splitlines()[-1] == f"next: fgbench prepare default --data-root '{root}'"


def test_a_table_that_tells_no_labels_leaves_the_folders_their_recipe(tmp_path):
    for name in ("happy", "sad"):
        write_pictures(tmp_path / name, ["1.png", "2.png"], name)
    write_text(tmp_path / "annotations.csv", "clip,subject\nhappy/1.png,anna\n")
    code, reported, _ = check("folder", "--root", tmp_path)
    assert code == 0
    assert "warning: annotations.csv is not read" in reported
    assert reported.splitlines()[-1] == f"next: fgbench prepare folder --data-root {tmp_path}"


@pytest.mark.slow
def test_a_folder_of_data_is_told_from_a_work_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    root = write_folder(tmp_path / "my-clips", 2)
    code, _, error = check("my-clips")
    assert code == 4
    assert "my-clips is a folder of data (annotations.csv), expected a work folder" in error
    assert "to look at the data: fgbench check default --root my-clips" in error
    code, reported, _ = check("default", "--root", "my-clips")
    assert code == 0
    assert "2 entries of 2 subjects in my-clips\n2 of 2 pictures and videos are used" in reported
    work = tmp_path / "fgbench-data" / "my-clips" / "work"
    recipe = {"name": "test", "buckets": 2, "faces": {"align": "never"}}
    prepare.run(PrepareConfig.model_validate(recipe), root, work)
    assert "fgbench check fgbench-data/my-clips/work" in check("my-clips")[2]
    assert check("fgbench-data/my-clips/work")[0] == 0
    code, _, error = check("fgbench-data/my-clips")
    assert code == 4
    assert "fgbench-data/my-clips is no work folder, fgbench-data/my-clips/work is" in error


@pytest.mark.slow
def test_tables_that_are_read_are_no_other_files(tmp_path):
    write_folder(tmp_path, 1)
    write_text(tmp_path / "selection.csv", "clip,frame\nc000,4\n")
    write_text(tmp_path / "notes.csv", "x\n")
    reported = check("default", "--root", tmp_path)[1]
    assert "other files: 1 .csv\n" in reported
    assert "1 entry of 1 subject in" in reported
    (tmp_path / "notes.csv").unlink()
    assert "other files" not in check("default", "--root", tmp_path)[1]


def test_own_clips_are_sent_to_their_recipe(tmp_path):
    write_folder(tmp_path, 2)
    error = check("raf-db", "--root", tmp_path)[2]
    assert "it holds 2 videos, by folder: videos 2" in error
    assert f"fgbench check default --root {tmp_path}" in error


@pytest.mark.slow
def test_data_that_are_not_as_published_are_known_to_the_manifests(tmp_path):
    root = tmp_path / "in"
    for part in ("train", "test"):
        for name in EMOTIONS:
            write_pictures(root / part / name, ["1.jpg", "2.jpg"], name)
    recipe = load_prepare("fer2013-folders").model_copy(update={"buckets": 2})
    recipe = recipe.model_copy(update={"faces": recipe.faces.model_copy(update={"align": "never"})})
    prepare.run(recipe, root, tmp_path / "work")
    index = read_index(tmp_path / "work")
    assert index["unlike_published"] == {"train": [14, 28709], "test": [14, 7178]}
    card = (tmp_path / "work" / "manifests" / "README.md").read_text()
    assert "Not the data as published: train has 14 of 28,709, test has 14 of 7,178 entries." in card


def test_settings_of_the_recipe_are_changed(tmp_path):
    for name in EMOTIONS:
        write_pictures(tmp_path / name, ["1.png"], name)
    code, reported, _ = check("folder", "--root", tmp_path, "--set", "dataset.name=mine")
    assert code == 0
    assert f"next: fgbench prepare folder --data-root {tmp_path} --set dataset.name=mine" in reported
    code, _, error = check("folder", "--root", tmp_path, "--set", "dataset.scheme=no-such")
    assert code == 3
    assert "no-such" in error
    code, _, error = check("folder", "--root", tmp_path, "--set", "dataset.nme=mine")
    assert code == 3
    assert "nme" in error


def test_settings_need_a_data_set(tmp_path):
    (tmp_path / "work").mkdir()
    code, _, error = check(tmp_path / "work", "--set", "dataset.name=mine")
    assert code == 2
    assert "fgbench check RECIPE --root DIR" in error
