"""``fgbench export faces``: what other programs, and our own readers, find in the tables."""

import json
import math
import shutil

import cv2
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import fgbench
from fgbench.cli.app import app
from fgbench.errors import ConfigError, ManifestError, ResourceError
from fgbench.faces import pose
from fgbench.faces.pose import Pose
from fgbench.publication.face_tables import fex, openface
from fgbench.publication.face_tables.faces import ClipFacts, FrameFace
from tests.support.drawn_votes import prepared, write_voted
from tests.support.pyfeat_reader import by_pyfeat

CLIP = ClipFacts(clip_id="film0/wrath", path="videos/film0/wrath.mp4", size=(320, 240))
UNITS = ("au01", "au12")


def typed(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A work folder of drawn faces, with labels of two units in most frames of each clip."""
    here = tmp_path_factory.mktemp("tables")
    root = write_voted(here / "clips")
    clips = sorted(path.relative_to(root / "videos") for path in (root / "videos").glob("*/*.mp4"))
    lines = ["clip,frame,AU1,AU12"]
    for number, clip in enumerate(clips):
        lines += [f"{clip.as_posix()},{frame},{(frame + number) % 2},{frame % 3 // 2}" for frame in range(12)]
    (root / "action_units.csv").write_text("\n".join(lines) + "\n")
    prepared(root, here / "work")
    return here


@pytest.fixture(scope="module")
def tables(drawn):
    """The same faces in both layouts."""
    work = fgbench.open(drawn / "work")
    return {layout: work.export_faces(layout, drawn / layout) for layout in ("openface", "fex")}


def rows_of(drawn):
    return fgbench.open(drawn / "work").faces().sort_values(["clip_id", "frame_index"])


def face(**changes):
    values = {
        "frame_index": 4,
        "time_s": 0.16,
        "is_sure": True,
        "box_xyxy": (10.0, 20.0, 110.0, 140.0),
        "score": 0.75,
        "quality": 0.9,
        "landmarks": None,
        "pose": Pose(10.0, -5.0, 3.0),
        "units": {"au12": 0.625},
    }
    return FrameFace(**{**values, **changes})


def projected(turn, position_mm, size=(320, 240)):
    """Landmarks of a rigid face as a camera sees it, (68, 2); the others lie in its middle."""
    points = np.zeros((68, 2))
    seen, _ = cv2.projectPoints(
        pose.face_model_mm(), cv2.Rodrigues(turn)[0], np.array(position_mm), pose.camera_matrix(size), None
    )
    points[:] = seen.mean(axis=0)
    points[pose.POSE_POINTS] = seen[:, 0]
    return points


def test_cells_of_openface_are_the_rotation_in_the_axes_of_the_camera():
    """Angles are put together again by OpenFace's own formula (RotationHelpers.h, Euler2RotationMatrix)."""
    about = [np.array([0.2, 0.0, 0.0]), np.array([0.0, -0.3, 0.0]), np.array([0.0, 0.0, 0.15])]
    turn = np.linalg.multi_dot([cv2.Rodrigues(one)[0] for one in about])
    points = projected(turn, (60.0, -30.0, 600.0))
    own = pose.estimate_pose(points, CLIP.size)
    cells = dict(
        zip(openface.head(UNITS), openface.cells(CLIP, face(landmarks=points, pose=own), UNITS), strict=True)
    )
    s1, s2, s3 = (math.sin(float(cells[f"pose_R{axis}"])) for axis in "xyz")
    c1, c2, c3 = (math.cos(float(cells[f"pose_R{axis}"])) for axis in "xyz")
    again = np.array(
        [
            [c2 * c3, -c2 * s3, s2],
            [c1 * s3 + c3 * s1 * s2, c1 * c3 - s1 * s2 * s3, -c2 * s1],
            [s1 * s3 - c1 * c3 * s2, c3 * s1 + c1 * s2 * s3, c1 * c2],
        ]
    )
    np.testing.assert_allclose(again, turn, atol=1e-3)
    assert [float(cells[f"pose_T{axis}"]) for axis in "xyz"] == pytest.approx([60, -30, 600], abs=0.5)
    assert [float(cells[f"pose_R{axis}"]) for axis in "xyz"] == pytest.approx([0.2, -0.3, 0.15], abs=1e-3)
    assert (cells["frame"], cells["face_id"], cells["timestamp"]) == ("5", "0", "0.160")
    assert (cells["confidence"], cells["success"]) == ("0.900", "1")
    assert (cells["AU01_c"], cells["AU12_c"]) == ("", "1")


def test_poses_turn_as_those_of_openface_on_its_own_file(face_clips):
    """On OpenFace's landmarks our angles follow its own; but its 3-D face has another pitch 0."""
    table = pd.read_csv(face_clips / "OpenFace_Test.csv", skipinitialspace=True)
    mine, own = [], []
    for _, row in table.iterrows():
        points = np.array([[row[f"x_{number}"], row[f"y_{number}"]] for number in range(68)])
        facts = ClipFacts(clip_id="c", path="c.mp4", size=(640, 360))
        one = face(landmarks=points, pose=pose.estimate_pose(points, facts.size))
        cells = dict(zip(openface.head(()), openface.cells(facts, one, ()), strict=True))
        mine.append([float(cells[f"pose_R{axis}"]) for axis in "xyz"])
        own.append([row[f"pose_R{axis}"] for axis in "xyz"])
    difference = np.array(mine) - np.array(own)
    assert np.abs(difference[:, 1:].mean(axis=0)).max() < 0.02
    assert difference.std(axis=0).max() < 0.02
    for axis, least in ((0, 0.5), (1, 0.9)):  # the head turns, nods a little, and is hardly tilted
        assert np.corrcoef(np.array(mine)[:, axis], np.array(own)[:, axis])[0, 1] > least


def test_cells_of_fex_have_the_signs_of_pyfeat():
    cells = dict(zip(fex.head(UNITS), fex.cells(CLIP, face(), UNITS), strict=True))
    box = [float(cells[name]) for name in fex.BOX]
    assert box == [10.0, 20.0, 100.0, 120.0, 0.75]
    angles = [math.degrees(float(cells[name])) for name in ("Pitch", "Roll", "Yaw")]
    assert angles == pytest.approx([-5.0, -3.0, -10.0], abs=1e-3)
    assert (cells["X"], cells["anger"], cells["x_0"], cells["AU01"]) == ("", "", "", "")
    assert (cells["AU12"], cells["input"], cells["frame"]) == ("0.6250", CLIP.path, "4")


def test_frames_without_a_face_say_nothing():
    none = face(is_sure=False, box_xyxy=None, score=None, quality=None, pose=Pose(*[math.nan] * 3), units={})
    row = dict(zip(openface.head(UNITS), openface.cells(CLIP, none, UNITS), strict=True))
    said = {name for name, cell in row.items() if cell}
    assert said == {"frame", "face_id", "timestamp", "confidence", "success"}
    assert (row["confidence"], row["success"]) == ("0.000", "0")
    row = dict(zip(fex.head(UNITS), fex.cells(CLIP, none, UNITS), strict=True))
    assert {name for name, cell in row.items() if cell} == {"input", "frame"}


def test_columns_are_those_of_the_programs_own_files(face_clips):
    """In the same order; of those that fgbench does not know, none."""
    theirs = pd.read_csv(face_clips / "OpenFace_Test.csv", skipinitialspace=True, nrows=1).columns
    ours = [name for name in openface.head(["au01", "au28", "au45"]) if name != "face_id"]  # since 2.1
    assert [name for name in theirs if name in ours] == ours
    theirs = pd.read_csv(face_clips / "001.csv", nrows=1).columns
    ours = [name for name in fex.head(["au01", "au12", "au43"]) if name not in ("X", "Y", "Z")]  # since 2.0
    assert [name for name in theirs if name in ours] == ours
    assert {name for name in theirs if name not in ours} <= {f"AU{number:02d}" for number in range(44)}


@pytest.mark.slow
def test_tables_hold_what_the_manifests_do(drawn, tables):
    rows = rows_of(drawn)
    written = tables["openface"]
    assert (written.clips, written.frames, written.units) == (8, len(rows), UNITS)
    assert written.faces == rows.landmarks.notna().sum() > 0.8 * len(rows)
    for clip_id, own in rows.groupby("clip_id"):
        table = pd.read_csv(drawn / "openface" / f"{clip_id}.csv")
        assert list(table.frame) == list(own.frame_index + 1)
        np.testing.assert_allclose(table.timestamp, own.time_s, atol=6e-4)
        points = table[[f"{axis}_{number}" for number in range(68) for axis in "xy"]].to_numpy()
        expected = np.stack(own.landmarks.map(lambda one: np.full(136, np.nan) if one is None else one))
        np.testing.assert_allclose(points, expected, atol=6e-4)
        np.testing.assert_allclose(table.confidence, own.quality.fillna(0), atol=6e-4)
        other = pd.read_csv(drawn / "fex" / f"{clip_id}.csv")
        boxes = np.stack(own.box_xyxy.map(lambda one: np.full(4, np.nan) if one is None else one))
        np.testing.assert_allclose(other[["FaceRectX", "FaceRectY"]], boxes[:, :2], atol=6e-4)
        np.testing.assert_allclose(other.FaceRectX + other.FaceRectWidth, boxes[:, 2], atol=2e-3)
        np.testing.assert_allclose(np.degrees(-other.Yaw), own.yaw_deg.astype(float), atol=1e-3)


@pytest.mark.slow
def test_our_own_readers_find_the_labels_again(drawn, tables, tmp_path):
    """Presences that were written are right, so each frame with a face is; and they can be labels anew."""
    rows = rows_of(drawn)
    for layout in tables:
        shutil.copytree(drawn / "work", tmp_path / layout)
        name = {"openface": "openface", "fex": "pyfeat"}[layout]
        done = typed("score", drawn / layout, "--workdir", tmp_path / layout, "--format", name, "--json")
        assert done.exit_code == 0, done.output
        found = json.loads(done.stdout)
        assert found["classes"] is None
        (without,) = {found["units"]["details"]["outside"]["without_prediction"]}
        for unit in found["units"]["units"]:
            assert unit["precision"] == 1.0
            assert unit["recall"] == 1.0 or without
        assert found["units"]["n"] > without
    anew = tmp_path / "anew"
    shutil.copytree(drawn / "clips", anew)
    (anew / "action_units.csv").unlink()
    shutil.copytree(drawn / "openface", anew / "action_units")
    from fgbench.datasets import fg_emotions

    labels = {(row.clip_id, row.frame_index): row.labels for row in fg_emotions.action_units(anew)}
    before = {(row.clip_id, row.frame_index): row.labels for row in fg_emotions.action_units(drawn / "clips")}
    sure = rows[(rows.status == "ok") & (rows.quality >= 0.5)]
    keys = [key for key in zip(sure.clip_id, sure.frame_index, strict=True) if key in before]
    assert len(keys) > 20
    assert {key: dict(labels[key]) for key in keys} == {key: dict(before[key]) for key in keys}


@pytest.mark.chain
@pytest.mark.slow
def test_pyfeat_reads_both(drawn, tables):
    clip_id = rows_of(drawn).clip_id.iloc[0]
    own = rows_of(drawn).query("clip_id == @clip_id")
    points = np.stack(own.landmarks).reshape(-1, 68, 2).transpose(0, 2, 1).reshape(-1, 136)
    found = by_pyfeat("feat", drawn / "fex" / f"{clip_id}.csv")
    np.testing.assert_allclose(found["landmarks"], points, atol=6e-4)
    assert list(found["poses"].columns) == ["Pitch", "Roll", "Yaw", "X", "Y", "Z"]
    np.testing.assert_allclose(np.degrees(found["poses"].Pitch), own.pitch_deg.astype(float), atol=1e-3)
    assert found["aus"].shape == (len(own), 2)
    assert found["faceboxes"].notna().all(axis=None)
    assert found["emotions"].isna().all(axis=None)
    assert list(found["time"].frame) == list(own.frame_index)
    found = by_pyfeat("openface", drawn / "openface" / f"{clip_id}.csv")
    np.testing.assert_allclose(found["landmarks"], points, atol=6e-4)
    assert found["poses"].notna().all(axis=None)
    assert list(found["time"].frame) == list(own.frame_index + 1)


@pytest.mark.slow
def test_a_folder_is_new_or_ours(drawn, tmp_path):
    words = ("export", "faces", tmp_path / "out", "--workdir", drawn / "work", "--format", "fex")
    done = typed(*words)
    assert done.exit_code == 0, done.output
    assert "with landmarks, 2 action units" in done.stdout
    (tmp_path / "out" / "mine.txt").write_text("mine")
    first = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert typed(*words, "--json").exit_code == 0  # again
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()} == first
    done = typed(*words[:-1], "openface")
    assert done.exit_code == 3
    assert "nothing was changed" in done.stderr
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"'mine.txt'; nothing was changed"):
        fgbench.open(drawn / "work").export_faces("fex", tmp_path / "other")
    (tmp_path / "link").symlink_to(tmp_path / "other")
    with pytest.raises(ResourceError, match="is a link"):
        fgbench.open(drawn / "work").export_faces("fex", tmp_path / "link")
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["mine.txt"]


def test_what_cannot_be_exported_is_told(plain, tmp_path):
    words = ("export", "faces", tmp_path / "out", "--workdir", plain / "work")
    assert typed(*words).exit_code == 2  # no format
    done = typed(*words, "--format", "libreface")
    assert done.exit_code == 3
    assert "known: openface, fex" in done.stderr
    done = typed(*words, "--format", "fex")
    assert done.exit_code == 3
    assert "its recipe takes pictures as they are" in done.stderr
    done = typed("export", "faces", tmp_path / "out", "--workdir", tmp_path, "--format", "fex")
    assert done.exit_code == 7
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_units_of_a_run_are_told_by_name(drawn, tmp_path):
    from fgbench.runs.unit_results import AuPredictions, write_au_run

    rows = rows_of(drawn)
    tested = rows[rows.split == "test"].head(3)
    ids = [f"{row.clip_id}-f{row.frame_index:05d}" for row in tested.itertuples()]
    probabilities = np.array([[0.25], [0.5], [0.75]], np.float32)
    folder = tmp_path / "run"
    write_au_run(
        folder,
        AuPredictions(
            units=("au04",),
            sample_ids=ids,
            clip_ids=list(tested.clip_id),
            subject_ids=[None] * 3,
            labels=np.array([[1], [-1], [0]], np.int8),
            probabilities=probabilities,
        ),
        config={},
        device="cpu",
        details={"dataset": "clips", "synthetic": True, "recipe": "r", "manifest_digest": "m"},
    )
    work = fgbench.open(drawn / "work")
    written = work.export_faces("fex", tmp_path / "fex", units=str(folder))
    assert written.units == ("au04",)
    table = pd.read_csv(tmp_path / "fex" / f"{tested.clip_id.iloc[0]}.csv").set_index("frame")
    assert table.AU04.notna().sum() == 3
    assert list(table.AU04[list(tested.frame_index)]) == [0.25, 0.5, 0.75]
    with pytest.raises(ManifestError, match="no run of action units"):
        work.export_faces("fex", tmp_path / "fex", units="nosuch")
