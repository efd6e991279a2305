"""The adapter of DFEW: five official folds of numbered folders of frames."""

import csv
import shutil

import pytest

from fgbench.datasets.dfew import list_clips
from fgbench.errors import DatasetError
from tests.support.fake_trees import Prepared, write_text
from tests.support.layouts.dfew import LABELS, code, fold, write_dfew, write_lists


def set_of(root, part="test", k=1):
    return root / "EmoLabel_DataSplit" / f"{part}(single-labeled)" / f"set_{k}.csv"


def test_codes_are_dfews_and_folds_those_that_test(tmp_path):
    entries = {entry.clip_id: entry for entry in list_clips(write_dfew(tmp_path))}
    assert len(entries) == 35, "a clip without a single label is not listed"
    assert [entries[f"{number:05d}"].label for number in range(7, 14)] == LABELS
    entry = entries["00009"]
    assert (entry.path, entry.fold, entry.split, entry.problem) == ("Clip/jpg_256/00009", 5, None, None)
    assert [entry.fold for entry in entries.values()] == [fold(number) for number in range(1, 36)]


@pytest.mark.parametrize("wrap", ["DFEW", "a/DFEW-part2"])
def test_wrapped_in_parts_and_in_other_cases(tmp_path, wrap):
    root = tmp_path / wrap
    write_dfew(root, 6, folder="CLIP_224x224/clip_224x224_part_1")
    last = root / "Clip" / "CLIP_224x224" / "clip_224x224_part_1" / "00006"
    (last.parents[1] / "clip_224x224_part_2").mkdir()
    last.rename(last.parents[1] / "clip_224x224_part_2" / "00006")
    shutil.move(root / "EmoLabel_DataSplit", root / "EMOLABEL_DATASPLIT")
    paths = [entry.path for entry in list_clips(tmp_path)]
    before = f"{wrap}/Clip/CLIP_224x224/clip_224x224_part_"
    assert paths == [f"{before}{2 if number == 6 else 1}/{number:05d}" for number in range(1, 7)]


def test_lists_that_contradict_themselves_reject_the_clip(tmp_path):
    root = write_dfew(tmp_path, 10)
    kept = {path: path.read_text() for path in root.rglob("set_*.csv")}

    def problem_of(clip, part, k, line):
        path = set_of(root, part, k)
        path.write_text(kept[path] + f"{line}\n")
        problems = {entry.clip_id: entry.problem for entry in list_clips(root) if entry.problem}
        path.write_text(kept[path])
        assert list(problems) == [clip]
        return problems[clip]

    assert problem_of("00003", "train", 4, f"3,{code(3)}") == (
        "tested_in_training",
        "fold 4 trains on it and tests it",
    )
    assert problem_of("00003", "test", 2, f"3,{code(3)}") == (
        "two_folds",
        "folds 2 and 4 test it, expected one",
    )
    assert problem_of("00011", "train", 1, "11,5") == ("no_fold", "it is in no list of test clips")
    reason, detail = problem_of("00003", "train", 2, "3,7")
    assert (reason, detail) == ("two_labels", "its labels in the lists of the folds are anger and fear")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2\n", r"set_1\.csv has no column video_name, label; its first line is '1,2'"),
        ("video_name,label\n1,8\n", r"set_1\.csv line 2: label '8' is outside the range 1 to 7(.|\n)*7 fear"),
        ("video_name,label\n1,0\n", "label '0' is outside the range"),
        ("video_name,label\nclip,1\n", "line 2: video_name is 'clip'"),
        ("video_name,label\n1\n", "line 2 has 1 cells"),
        ("video_name\n1\n", "has no column label"),
    ],
)
def test_wrong_lists_name_the_line(tmp_path, text, message):
    root = write_dfew(tmp_path, 5)
    write_text(set_of(root), text)
    with pytest.raises(DatasetError, match=message):
        list_clips(root)


def test_wrong_layouts_name_the_path(tmp_path):
    root = write_dfew(tmp_path / "dfew", 5)
    with pytest.raises(
        DatasetError, match=r"Clip has no folder clip_224x224_16f/; jpg_256/ is for the recipe dfew"
    ):
        list_clips(root, "16f")
    set_of(root, "train", 3).unlink()
    with pytest.raises(
        DatasetError, match=r"train\(single-labeled\) has no file set_3\.csv(.|\n)*set_\{1..5\}"
    ):
        list_clips(root)
    shutil.rmtree(set_of(root).parent)
    write_lists(root, range(5))
    shutil.rmtree(set_of(root).parent)
    with pytest.raises(DatasetError, match=r"has no folder test\(single-labeled\)/"):
        list_clips(root)
    (root / "Clip" / "jpg_256").rename(root / "Clip" / "clip_224x224_16f")
    with pytest.raises(
        DatasetError, match=r"has no folder jpg_256/; clip_224x224_16f/ is for the recipe dfew-16f\n"
    ):
        list_clips(root)
    shutil.rmtree(root / "Clip")
    with pytest.raises(DatasetError, match="dfew has no folder Clip/"):
        list_clips(root)
    shutil.rmtree(root / "EmoLabel_DataSplit")
    with pytest.raises(DatasetError, match=r"dfew has no folder EmoLabel_DataSplit/(.|\n)*expected layout"):
        list_clips(root)
    with pytest.raises(DatasetError, match="no folder"):
        list_clips(tmp_path / "absent")


@pytest.mark.slow
def test_prepared_with_folds(tmp_path):
    root = write_dfew(tmp_path / "dfew", 20)
    shutil.rmtree(root / "Clip" / "jpg_256" / "00004")
    made = Prepared("dfew", root, tmp_path / "work")
    assert made.rejects == {"00004": "missing_file"}
    clip = made.clips["00020"]
    assert (clip["label"], clip["n_frames"], clip["align"], clip["n_faces_ok"]) == ("fear", 3, "none", 3)
    rows = list(csv.reader((made.manifests / "folds.csv").read_text().splitlines()))
    numbers = range(1, 21)  # the lost one too: its fold tests it
    assert rows == [["clip_id", "fold"], *([f"{number:05d}", str(fold(number))] for number in numbers)]
    protocol = made.index["protocol"]
    reported = [protocol[name] for name in ("kind", "folds", "group_by", "fold_file")]
    assert reported == ["k-fold", 5, "clip_id", "folds.csv"]


@pytest.mark.slow
def test_prepared_from_16_frames(tmp_path):
    root = write_dfew(
        tmp_path / "dfew", 7, folder="clip_224x224_16f", frames=[f"{n}.jpg" for n in range(1, 17)]
    )
    made = Prepared("dfew-16f", root, tmp_path / "work")
    assert {clip["n_frames"] for clip in made.clips.values()} == {16}
    assert made.index["dataset"] == "dfew-16f"
