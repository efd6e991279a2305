"""The adapter of SFEW: whole frames and aligned faces, grouped by film."""

import shutil

import pytest

from fgbench.datasets.sfew import list_clips
from fgbench.errors import DatasetError
from tests.support.fake_trees import Prepared, write_picture
from tests.support.layouts.sfew import ALIGNED, write_sfew


def test_the_film_is_the_source(tmp_path):
    entries = {entry.clip_id: entry for entry in list_clips(write_sfew(tmp_path))}
    assert len(entries) == 42
    entry = entries["train/Film_2_003159960_00000003"]
    assert (entry.label, entry.source_id, entry.split) == ("happiness", "Film_2", "train")
    assert entry.path == "Train/Happy/Film_2_003159960_00000003.png"
    assert entries["val/Film_0_000159960_00000000"].split == "val", "the name is in both parts"
    assert {entry.label for entry in entries.values()} == {
        "anger",
        "disgust",
        "fear",
        "happiness",
        "neutral",
        "sadness",
        "surprise",
    }


def test_parts_in_other_spellings(tmp_path):
    entries = list_clips(write_sfew(tmp_path, ("Training", "Dev"), n_films=1))
    assert sorted(entry.split for entry in entries) == ["train"] * 7 + ["val"] * 7


@pytest.mark.parametrize("parts", [ALIGNED, ("Train/Train_Aligned_Faces", "Val/Val_Aligned_Faces")])
def test_aligned_faces_beside_or_inside_the_parts(tmp_path, parts):
    write_sfew(tmp_path / "SFEW_2", parts, n_films=1)
    assert len(list_clips(tmp_path, "aligned")) == 14
    with pytest.raises(DatasetError, match="use the recipe sfew-aligned"):
        list_clips(tmp_path)
    write_sfew(tmp_path / "SFEW_2", n_films=2)
    assert len(list_clips(tmp_path)) == 28, "aligned faces are not whole frames"
    assert {entry.path.split("/")[1] for entry in list_clips(tmp_path)} == {"Train", "Val"}


def test_wrapped_and_in_upper_case(tmp_path):
    write_sfew(tmp_path / "SFEW" / "2.0", ("TRAIN", "VAL"), n_films=1)
    for folder in (tmp_path / "SFEW" / "2.0" / "TRAIN").iterdir():
        folder.rename(folder.with_name(folder.name.upper()))
    assert len(list_clips(tmp_path)) == 14


def test_wrong_layouts_name_the_path(tmp_path):
    root = write_sfew(tmp_path / "sfew", n_films=1)
    with pytest.raises(DatasetError, match=r"no folder Train_Aligned_Faces/; use the recipe sfew\n"):
        list_clips(root, "aligned")
    shutil.rmtree(root / "Val")
    with pytest.raises(DatasetError, match=r"sfew has no folder Val/(.|\n)*expected layout: {Train,Val}/"):
        list_clips(root)
    (root / "Val" / "1").mkdir(parents=True)
    with pytest.raises(DatasetError, match="Val has no folders named as emotions"):
        list_clips(root)
    shutil.rmtree(root / "Train")
    with pytest.raises(DatasetError, match="sfew has no folder Train/"):
        list_clips(root)


@pytest.mark.slow
def test_prepared_with_films_as_groups(tmp_path):
    root = write_sfew(tmp_path / "sfew", n_films=3)
    write_picture(root / "Train" / "Sad" / "poster.png", "Sad")
    shutil.copy(root / "Val" / "Sad" / "21_Val1_005159960_00000005.png", root / "Val" / "Fear")
    made = Prepared("sfew", root, tmp_path / "work", faces={"align": "never"})
    assert made.rejects == {
        "train/poster": "unknown_source",
        "val/21_Val1_005159960_00000005": "duplicate_id",
    }
    protocol = made.index["protocol"]
    assert (protocol["train"], protocol["selection"], protocol["test"]) == (["train"], [], ["val"])
    assert (protocol["group_by"], protocol["label"]) == ("source_id", "SFEW 2.0 tested on official Val")
    films = {clip["source_id"] for clip in made.clips.values() if clip["split"] == "train"}
    assert films == {"Film_0", "Film_1", "Film_2"}


@pytest.mark.slow
def test_prepared_aligned_faces(tmp_path):
    root = write_sfew(tmp_path / "sfew", ALIGNED, n_films=1, size=(143, 181))
    made = Prepared("sfew-aligned", root, tmp_path / "work")
    assert len(made.images) == len(made.clips) == 14
    clip = made.clips["val/Film_0_006159960_00000006"]
    assert (clip["label"], clip["align"], clip["width"], clip["height"]) == ("surprise", "none", 143, 181)
