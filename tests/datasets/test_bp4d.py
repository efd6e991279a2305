"""The adapter of BP4D: coded frames of sequences, and a training of action units on them."""

import shutil
from pathlib import Path

import pytest

from fgbench.config import TrainAuConfig
from fgbench.datasets import bp4d
from fgbench.datasets.bp4d import action_units, list_clips
from fgbench.errors import DatasetError
from fgbench.methods.steps.units import train_units
from fgbench.runs.frames import usable_frames
from fgbench.runs.unit_results import read_au_result
from tests.support.fake_trees import Prepared, write_text
from tests.support.layouts.bp4d import HEAD, SUBJECTS, codes, write_bp4d


def code_file(root, name="F001_T1.csv"):
    return root / "AUCoding" / "AU_OCC" / name


def test_sequences_have_their_coded_frames_and_no_labels(tmp_path):
    entries = {entry.clip_id: entry for entry in list_clips(write_bp4d(tmp_path))}
    assert list(entries) == [f"{subject}_{task}" for subject in SUBJECTS for task in ("T1", "T2")]
    for name in ("F001_T1", "F001_T2"):
        entry = entries[name]
        assert (entry.path, entry.subject_id) == (name.replace("_", "/"), "F001")
        assert (entry.selected_frames, entry.stills_only, entry.label) == ((1, 2, 3, 4), True, None)


def test_codes_become_labels_of_the_pictures(tmp_path):
    root = write_bp4d(tmp_path)
    write_text(code_file(root), "\n".join([HEAD, codes(10), codes(11, au24="1", au05="1")]))
    rows = [row for row in action_units(root) if row.clip_id == "F001_T1"]
    assert [row.frame_index for row in rows] == [2, 3], "8.jpg is picture 0, 9.jpg comes before 10.jpg"
    names = [f"au{unit:02d}" for unit in (1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24)]
    assert list(rows[0].labels) == names
    absent = dict.fromkeys(names, -1) | {"au01": 0}
    assert rows[0].labels == absent | {"au12": 1}
    assert rows[1].labels == absent | {"au24": 1}


def test_each_folder_of_pictures_is_listed_once(tmp_path, monkeypatch):
    listed = []
    numbered = bp4d.numbered_pictures
    monkeypatch.setattr(bp4d, "numbered_pictures", lambda folder: listed.append(folder) or numbered(folder))
    root = write_bp4d(tmp_path)
    for use in (list_clips, lambda folder: list(action_units(folder))):
        listed.clear()
        use(root)
        assert len(listed) == len(set(listed)) == 12


def test_wrapped_and_in_other_cases(tmp_path):
    write_bp4d(tmp_path / "plain")
    root = tmp_path / "wrapped"
    shutil.copytree(tmp_path / "plain", root / "BP4D" / "2D+3D", ignore=shutil.ignore_patterns("AUCoding"))
    (root / "BP4D" / "2D+3D" / "F001").rename(root / "BP4D" / "2D+3D" / "f001")
    shutil.copytree(tmp_path / "plain" / "AUCoding", root / "BP4D" / "AUCODING")
    (root / "BP4D" / "AUCODING" / "AU_OCC" / "F001_T1.csv").rename(
        root / "BP4D" / "AUCODING" / "AU_OCC" / "f001_t1.CSV"
    )
    plain, wrapped = list_clips(tmp_path / "plain"), list_clips(root)
    assert [entry.clip_id for entry in wrapped] == [entry.clip_id for entry in plain]
    assert wrapped[0].path == "BP4D/2D+3D/f001/T1"
    assert list(action_units(root)) == list(action_units(tmp_path / "plain"))


def test_missing_pictures_are_reported(tmp_path):
    root = write_bp4d(tmp_path, ("F001",), ("T1", "T2", "T3"))
    (root / "F001" / "T1" / "10.jpg").unlink()
    shutil.rmtree(root / "F001" / "T3")
    entries = {entry.clip_id: entry for entry in list_clips(root)}
    assert entries["F001_T1"].selected_frames == (1, 2, 3)
    assert entries["F001_T1-missing"].problem == (
        "missing_frames",
        "F001/T1 has no pictures of 1 coded frames, e.g. 10",
    )
    assert entries["F001_T3"].problem == (
        "no_frames",
        "F001/T3 has a picture of none of the 4 coded frames",
    )
    assert len(entries) == 4
    actual = [(row.clip_id, row.frame_index) for row in action_units(root)]
    assert actual == [("F001_T1", n) for n in (1, 2, 3)] + [("F001_T2", n) for n in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (codes(9), r"F001_T1\.csv line 1 names no action units 1, 2, 4(.|\n)*expected layout: AUCoding"),
        ("", "line 1 names no action units"),
        (
            f"{HEAD}\n{codes(9)}\n{codes(10, au04='2')}",
            r"line 3: label '2' is outside(.|\n)*0 absent, 1 present",
        ),
        (
            f"{HEAD}\nx{codes(9)}",
            r"line 2 begins with 'x9,9,0(.|\n)*expected the number of a frame and 99 codes",
        ),
        (f"{HEAD}\n9,0,0", "line 2 begins with '9,0,0' and has 3 cells"),
    ],
)
def test_wrong_codes_name_the_line(tmp_path, text, message):
    write_text(code_file(write_bp4d(tmp_path, ("F001",))), text)
    with pytest.raises(DatasetError, match=message):
        list_clips(tmp_path)


def test_wrong_layouts_name_the_path(tmp_path):
    root = write_bp4d(tmp_path / "bp4d", ("F001",))
    shutil.rmtree(root / "AUCoding" / "AU_OCC")
    with pytest.raises(DatasetError, match=r"bp4d has no folder AUCoding/AU_OCC/(.|\n)*expected layout"):
        list_clips(root)
    shutil.rmtree(root / "F001" / "T1")
    (root / "F001" / "T2").rename(root / "F001" / "happy")
    with pytest.raises(DatasetError, match="bp4d has no folders of subjects and tasks such as F001/T1/"):
        list_clips(root)


def au_recipe():
    return TrainAuConfig.model_validate(
        {
            "name": "au-tiny",
            "action_units": ["au01", "au12", "au25"],
            "trunk": {"input_px": 112, "stem": 4, "widths": [4, 4, 4, 8], "norm": "none"},
            "fc_hidden": None,
            "embedding": 8,
            "optimiser": {"kind": "adamw", "learning_rate": 0.003, "batch": 8, "epochs": 1},
            "data": {"resize_px": 232},
        }
    )


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_prepared_and_trained_on(tmp_path):
    root = write_bp4d(tmp_path / "bp4d", tasks=("T1",))
    (root / "F001" / "T1" / "10.jpg").unlink()
    made = Prepared("bp4d", root, tmp_path / "work", faces={"align": "never"})
    assert made.rejects == {"F001_T1-missing": "missing_frames"}
    assert (made.index["scheme"], made.index["classes"]) == ("none", [])
    parts: dict[str, set[str]] = {}
    for clip in made.clips.values():
        assert (clip["label"], clip["basic"]) == (None, None)
        parts.setdefault(clip["split"], set()).add(clip["subject_id"])
    assert {part: len(subjects) for part, subjects in parts.items()} == {"train": 3, "val": 1, "test": 2}
    assert set.union(*parts.values()) == set(SUBJECTS)
    rows = list(action_units(root))
    assert usable_frames(made.manifests) == {(row.clip_id, row.frame_index) for row in rows}

    ((single,),) = train_units(au_recipe(), made.work, device="cpu")
    (folds,) = train_units(au_recipe(), made.work, folds=3, device="cpu")
    assert read_au_result(single)["n"] == sum(row.clip_id[:4] in parts["test"] for row in rows)
    tested = [scores(folder) for folder in folds]
    assert sum(one["au12"]["n_positive"] for one in tested) == sum(row.labels["au12"] == 1 for row in rows)
    for one in tested:
        assert one["au01"]["f1"] is None, "unknown is not labelled"
        assert one["au25"]["n_negative"] == 0


def scores(folder: Path):
    return {unit["name"]: unit for unit in read_au_result(folder)["units"]}
