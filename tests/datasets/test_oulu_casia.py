"""The adapter of Oulu-CASIA: sequences of six cameras and lights."""

import shutil

import pyarrow.parquet as pq
import pytest

from fgbench.datasets.oulu_casia import list_clips
from fgbench.errors import DatasetError
from tests.support.fake_trees import Prepared
from tests.support.layouts.oulu_casia import write_oulu


def test_peaks_and_neutral_first_frames(tmp_path):
    write_oulu(tmp_path, n_frames=12)
    (tmp_path / "OriginalImg" / "VL" / "Strong" / "P001" / "Anger" / "Thumbs.db").write_bytes(b"x")
    entries = {entry.clip_id: entry for entry in list_clips(tmp_path)}
    assert len(entries) == 24
    peak, neutral = entries["P001_anger"], entries["P001_anger-neutral"]
    assert (peak.label, peak.selected_frames, peak.key_frame) == ("anger", (9, 10, 11), 11)
    assert (neutral.label, neutral.selected_frames, neutral.stills_only) == ("neutral", (0,), True)
    assert peak.path == neutral.path == "OriginalImg/VL/Strong/P001/Anger"
    assert {entry.subject_id for entry in entries.values()} == {"P001", "P002"}
    assert peak.source_id == neutral.source_id != entries["P001_fear"].source_id


@pytest.mark.parametrize(
    "below",
    ["OriginalImg", "B_OriginalImg", "B_OriginalImg/OriginalImg", "Oulu_CASIA_NIR_VIS", "a/b/ORIGINALIMG"],
)
def test_the_roots_of_copies(tmp_path, below):
    write_oulu(tmp_path, 1, below=below, light="vl/STRONG")
    assert len(list_clips(tmp_path)) == 12


def test_preprocessed_pictures_beside_the_originals_are_passed_over(tmp_path):
    write_oulu(tmp_path, 1, below="Oulu_CASIA_NIR_VIS/B_OriginalImg")
    write_oulu(tmp_path, 1, below="Oulu_CASIA_NIR_VIS/C_CroppedImg")
    assert {entry.path.split("/")[1] for entry in list_clips(tmp_path)} == {"B_OriginalImg"}


def test_cameras_and_lights_are_variants(tmp_path):
    write_oulu(tmp_path, 1)
    write_oulu(tmp_path, 2, light="NI/Dark")
    assert len(list_clips(tmp_path)) == 12
    assert list_clips(tmp_path, "ni-dark")[0].path == "OriginalImg/NI/Dark/P001/Anger"
    with pytest.raises(DatasetError, match=r"NI has no folder Weak/(.|\n)*{VL,NI}/{Strong,Weak,Dark}/"):
        list_clips(tmp_path, "ni-weak")


def test_wrong_layouts_name_the_path(tmp_path):
    root = write_oulu(tmp_path / "oulu")
    strong = root / "OriginalImg" / "VL" / "Strong"
    shutil.rmtree(strong / "P001")
    shutil.move(strong / "P002" / "Anger", strong / "Anger")
    shutil.rmtree(strong / "P002")
    with pytest.raises(DatasetError, match=r"Strong has no folders P###/(.|\n)*expected layout: OriginalImg"):
        list_clips(root)
    shutil.rmtree(root / "OriginalImg" / "VL")
    with pytest.raises(DatasetError, match="oulu has no folder VL/ or NI/"):
        list_clips(root)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "n_classes", "n_clips", "left_out"),
    [("oulu-casia-6", 6, 16, {"neutral": 18}), ("oulu-casia", 7, 32, {})],
)
def test_prepared_with_6_and_7_classes(tmp_path, recipe, n_classes, n_clips, left_out):
    root = write_oulu(tmp_path / "oulu", 3)
    strong = root / "OriginalImg" / "VL" / "Strong"
    shutil.rmtree(strong / "P002" / "Fear")
    (strong / "P003" / "Sadness" / "000.jpeg").rename(strong / "000.jpeg")
    for picture in list((strong / "P003" / "Sadness").iterdir())[1:]:
        picture.unlink()
    made = Prepared(recipe, root, tmp_path / "work", faces={"align": "never"})
    lost = {"P002_fear": "missing_file", "P003_sadness": "no_frames"}
    first_frames = {f"{name}-neutral": reason for name, reason in lost.items() if n_classes == 7}
    assert made.rejects == lost | first_frames
    rows = pq.read_table(tmp_path / "work/manifests/rejects.parquet").to_pylist()
    assert {(row["id"], row["label"], row["subject_id"]) for row in rows if row["id"] in lost} == {
        ("P002_fear", "fear", "P002"),
        ("P003_sadness", "sadness", "P003"),
    }, "they are tested all the same"
    assert {row["label"] for row in rows if row["id"] in first_frames} <= {"neutral"}
    assert len(made.clips) == n_clips
    assert made.index["left_out"] == left_out
    assert len(made.index["classes"]) == n_classes
    protocol = made.index["protocol"]
    assert (protocol["kind"], protocol["folds"], protocol["group_by"]) == ("k-fold", 10, "subject_id")
    assert [row["frame_index"] for row in made.images if row["clip_id"] == "P001_surprise"] == [2, 3, 4]
    if recipe == "oulu-casia":
        assert made.clips["P001_surprise-neutral"]["label"] == "neutral"
