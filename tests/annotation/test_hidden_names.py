"""Names of clips that tell a class: the export warns, and gives tasks neutral names; answers come back."""

import json

import pytest

import fgbench
from fgbench.annotation.class_list import ClassList
from fgbench.annotation.project_file import read_project
from fgbench.annotation.telling_names import told_classes
from fgbench.datasets._tree import everything
from fgbench.errors import ConfigError
from tests.support.annotated_rounds import FIVE, annotation, exported, votes, write_clips, write_export

CLASSES = ClassList(scheme="fg33", classes=(("joy", "happiness"), ("mild worry", "fear"), ("wrath", "anger")))
PEOPLE = {str(number): name for number, name in enumerate(FIVE, start=1)}


@pytest.mark.parametrize(
    ("clip", "held"),
    [
        ("joy_003", "joy"),
        ("film/Joy12b", "joy"),
        ("JoyOfAnna", "joy"),
        ("wrath/shot1", "wrath"),
        ("a-mild-worry-b", "mild worry"),
        ("fear of joy", "fear"),
        ("joyride", None),
        ("mild/x", None),
        ("worry_mild", None),
        ("s01e02", None),
    ],
)
def test_words_of_a_name_that_are_a_class(clip, held):
    assert dict(told_classes([clip], CLASSES)) == ({held: 1} if held else {})


def test_short_classes_are_in_too_many_names():
    letters = ClassList(scheme="free", classes=(("a", ""), ("b", "")))
    assert told_classes(["a", "b_1"], letters).total() == 0


def test_the_export_names_the_classes_and_the_way_out(tmp_path):
    root = write_clips(tmp_path / "clips", ["hate_1", "Hate2", "wrath/c", "plain"])
    (note,) = [note for note in exported(root).notes if "called as a class" in note]
    assert note == (
        "3 clips are called as a class (hate 2, wrath 1), and annotators see the names: --hide-names gives "
        "neutral ones"
    )
    hidden = exported(root, hide_names=True, force=True)
    assert (hidden.is_new, [note for note in hidden.notes if "class" in note]) == (True, [])


@pytest.mark.parametrize("show", ["clips", "strips"])
def test_nothing_that_annotators_see_tells_the_name(tmp_path, show):
    root = write_clips(tmp_path / "clips", ["joy_1", "wrath/c"])
    exported(root, hide_names=True, show=show)
    folder = root / "annotation" / "round-1"
    for name in ("tasks.json", "labelling.xml"):
        text = (folder / name).read_text()
        assert "joy_1" not in text
        assert "wrath/c" not in text
    tasks = json.loads((folder / "tasks.json").read_text())
    media = [root / task["data"]["media"].removeprefix("/data/local-files/?d=") for task in tasks]
    assert len({task["data"]["clip"] for task in tasks}) == 2
    if show == "clips":
        clips = {path.read_bytes() for path in (root / "videos").rglob("*.mp4")}
        assert {path.read_bytes() for path in media} == clips
    assert not exported(root, hide_names=True, show=show).is_new


def test_answers_under_neutral_names_are_votes_on_their_clips(tmp_path):
    root = write_clips(tmp_path / "clips", ["joy_1", "wrath/c"])
    exported(root, hide_names=True)
    folder = root / "annotation" / "round-1"
    shown = read_project(folder).shown_name
    path = write_export(
        root.parent / "export.json", folder, {shown("wrath/c"): [annotation(1), annotation(2)]}
    )
    done = fgbench.import_votes(path, root, annotators=PEOPLE)
    assert [vote.split(",")[:3] for vote in votes(root)] == [
        ["wrath/c.mp4", "anna", "anger"],
        ["wrath/c.mp4", "ben", "anger"],
    ]
    assert (done.n_added, done.rejects, done.missing["anna"]) == (2, (), (1, 2))
    write_export(path, folder, {shown("wrath/c"): [annotation(2)]})
    assert fgbench.import_votes(path, root, annotators=PEOPLE).withdrawn == (("wrath/c", "anna"),)


def test_a_folder_of_pictures_cannot_hide_but_as_a_strip(tmp_path):
    root = write_clips(tmp_path / "clips", ["a"])
    folder = root / "videos" / "film" / "00000000-00000400"
    folder.mkdir(parents=True)
    (folder / "000000.png").write_bytes(_png())
    with pytest.raises(ConfigError, match=r"1 clip of several pictures, e\.g\. videos/film.*hide-names"):
        exported(root, hide_names=True)
    assert exported(root, hide_names=True, show="strips").n_clips == 2


def test_a_round_whose_export_did_not_end_is_no_data(tmp_path):
    """Its pictures and clips are ours, though nothing says yet whose they are."""
    root = write_clips(tmp_path / "clips", ["a"])
    exported(root, hide_names=True)
    (root / "annotation" / "round-1" / "project.json").unlink()
    assert {item.path for item in everything(root)} == {"videos/a.mp4"}


def _png():
    import numpy as np

    from fgbench.media.images import encode

    return encode(np.zeros((48, 64, 3), np.uint8), "png", 100)
