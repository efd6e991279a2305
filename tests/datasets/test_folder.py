"""The adapter of plain folders."""

import pytest

from fgbench.config import load_prepare
from fgbench.datasets._parts import parts_of
from fgbench.datasets.folder import list_clips
from fgbench.errors import DatasetError
from tests.support.fake_trees import Prepared, write_clip, write_picture, write_pictures, write_text


def test_pictures_clips_and_folders_of_pictures(tmp_path):
    write_picture(tmp_path / "Happy" / "b" / "1.png")
    write_pictures(tmp_path / "Happy" / "walk", ["2.png", "10.png"])
    write_picture(tmp_path / "Happy" / "a.jpg")
    write_clip(tmp_path / "sad face" / "c.mp4")
    write_text(tmp_path / "sad face" / "notes.txt", "x")
    actual = {entry.clip_id: (entry.path, entry.label) for entry in list_clips(tmp_path)}
    assert actual == {
        "Happy/a": ("Happy/a.jpg", "Happy"),
        "Happy/b": ("Happy/b", "Happy"),
        "Happy/walk": ("Happy/walk", "Happy"),
        "sad face/c": ("sad face/c.mp4", "sad face"),
    }


@pytest.mark.slow
def test_prepared_with_the_folders_names(tmp_path):
    root = tmp_path / "mine"
    for part in ("train", "Valid", "test"):
        for label in ("Happy", "sad face"):
            for number in range(2):
                write_picture(root / part / label / f"{number}.png", label)
    made = Prepared("folder", root, tmp_path / "work", faces={"align": "never"})
    assert (made.index["scheme"], made.index["classes"]) == ("free", ["Happy", "sad face"])
    assert {part: counts["images"] for part, counts in made.report.counts.items()} == dict.fromkeys(
        ("train", "val", "test"), 4
    )
    clip = made.clips["Valid/sad face/1"]
    assert (clip["label"], clip["scheme"], clip["basic"], clip["split"]) == ("sad face", "free", None, "val")


@pytest.mark.slow
def test_prepared_with_a_label_set(tmp_path):
    root = tmp_path / "mine"
    for label in ("Happy", "Neutral", "Silly"):
        write_picture(root / label / "1.png", label)
    dataset = load_prepare("folder").dataset.model_dump() | {"scheme": "ekman7"}
    made = Prepared("folder", root, tmp_path / "work", faces={"align": "never"}, dataset=dataset)
    assert {clip["label"]: clip["basic"] for clip in made.clips.values()} == {
        "happiness": "happiness",
        "neutral": None,
    }
    assert made.rejects == {"Silly/1": "unknown_label"}


def test_parts_in_their_usual_spellings_are_no_classes(tmp_path):
    for part in ("Training", "Public-Test", "PRIVATE_TEST"):
        for label in ("Happy", "Sad"):
            write_picture(tmp_path / part / label / "1.png")
    actual = {(entry.split, entry.label) for entry in list_clips(tmp_path)}
    assert actual == {(part, label) for part in ("train", "val", "test") for label in ("Happy", "Sad")}


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (["trn", "tst"], {"trn": "train", "tst": "test"}),
        (["train_set", "dev", "eval"], {"train_set": "train", "dev": "val", "eval": "test"}),
        (["Train", "EVAL"], {"Train": "train", "EVAL": "val"}),
        (
            ["Training data", "Validation", "Testing"],
            {"Training data": "train", "Validation": "val", "Testing": "test"},
        ),
        (["valid", "happy"], {"valid": "val"}),
        (["tested", "values", "trainer"], {}),
    ],
)
def test_names_of_parts(names, parts):
    assert parts_of(names) == parts


def test_files_without_a_telling_name_are_told_by_their_content(tmp_path):
    write_picture(tmp_path / "happy" / "a.png").rename(tmp_path / "happy" / "a")
    write_clip(tmp_path / "happy" / "b.mp4").rename(tmp_path / "happy" / "b.dat")
    write_text(tmp_path / "happy" / "c.dat", "words")
    assert [entry.path for entry in list_clips(tmp_path)] == ["happy/a", "happy/b.dat"]


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("Gl\u00fcck", "Glu\u0308ck", r"'Glu\\u0308ck' and 'Gl\\xfcck'"),
        ("Happy", "happy", "'Happy' and 'happy'"),
        ("sad face", "Sad_Face", "'Sad_Face' and 'sad face'"),
        ("happy", "hap\u200bpy", r"'happy' and 'hap\\u200bpy'"),
        ("happy", "\uff48appy", r"'happy' and '\\uff48appy'"),
        ("happy", "ha\u200dppy", r"'happy' and 'ha\\u200dppy'"),
        ("train/x", "Training/x", "two folders of the part train: 'Training' and 'train'"),
    ],
)
def test_folders_that_read_alike_are_refused_by_both_names(tmp_path, first, second, message):
    write_picture(tmp_path / first / "1.png")
    write_picture(tmp_path / second / "2.png")
    with pytest.raises(DatasetError, match=message):
        list_clips(tmp_path)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["a.png"], "has no folders"),
        (["train/a.png"], "train has no folders of classes"),
        (["train/x/a.png", "happy/b.png"], "the folder 'train', a part, beside 'happy', a class"),
        (["happy/a.txt"], "has no pictures or videos"),
    ],
)
def test_wrong_layouts_name_the_path(tmp_path, files, message):
    for name in files:
        if name.endswith(".png"):
            write_picture(tmp_path / name)
        else:
            write_text(tmp_path / name, "x")
    with pytest.raises(DatasetError, match=rf"{message}(.|\n)*<class>/<file>"):
        list_clips(tmp_path)


def test_files_that_differ_by_their_suffix_alone_are_several_clips(tmp_path):
    """A phone names a picture and the film around it alike."""
    for name in ("happy/one.jpg", "happy/two.jpg", "happy/two.png"):
        write_picture(tmp_path / name, name)
    assert [entry.clip_id for entry in list_clips(tmp_path)] == [
        "happy/one",
        "happy/two.jpg",
        "happy/two.png",
    ]
