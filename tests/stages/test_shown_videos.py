"""Videos that are not shown as they are stored, through the stages: columns, faces, rejects."""

import numpy as np
import pyarrow as pa
import pytest

from fgbench.config import PrepareConfig
from fgbench.errors import MediaError
from fgbench.preparation import prepare
from fgbench.preparation.stages import faces
from fgbench.preparation.stages._frame_sizes import size_changes
from fgbench.storage import read_rows
from tests.support.clip_folders import write_folder
from tests.support.shown_videos import (
    DVD_ASPECT,
    PQ,
    portrait,
    write_hdr,
    write_sizes,
    write_squeezed,
    write_time_lapse,
)
from tests.support.video_files import QUICK, write_clip

UPRIGHT = portrait((512, 288))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Clips by name, and faces by clip and frame, of a folder of odd videos."""
    root, work = tmp_path_factory.mktemp("in"), tmp_path_factory.mktemp("work")
    (root / "videos").mkdir()
    videos = root / "videos"
    write_squeezed(videos / "squeezed.mp4", UPRIGHT, (360, 288), DVD_ASPECT, options=QUICK)
    write_squeezed(videos / "square.mp4", UPRIGHT, (512, 288), DVD_ASPECT / DVD_ASPECT, options=QUICK)
    write_hdr(videos / "hdr.mkv", UPRIGHT, PQ, n_frames=3)
    write_sizes(videos / "sizes.mkv", [UPRIGHT, portrait((640, 480)), UPRIGHT], n_frames=2)
    write_time_lapse(videos / "lapse.mov", np.ascontiguousarray(np.rot90(UPRIGHT)), 6)
    for name, size in (("wide", (640, 2)), ("high", (2, 640))):
        write_clip(videos / f"{name}.mp4", 3, size=size, pictures=[np.zeros((*size[::-1], 3), "u1")] * 3)
    write_clip(videos / "large.mp4", 1, size=(900, 700), pictures=[np.zeros((700, 900, 3), "u1")])
    names = sorted(path.name for path in videos.iterdir())
    lines = ["clip,label,key_frame", *(f"{name},anger,0" for name in names)]
    (root / "annotations.csv").write_text("\n".join(lines) + "\n")
    recipe = {"name": "odd", "buckets": 2, "ingest": {"max_frame_px": 600_000}, "augment": {"copies": 0}}
    prepare.run(PrepareConfig.model_validate(recipe), root, work)
    clips = {row["path"].rpartition("/")[2]: row for row in read_rows(work / "manifests" / "clips.parquet")}
    rows = [row for path in sorted((work / "manifests" / "faces").iterdir()) for row in read_rows(path)]
    of_clip = {
        name: [row for row in rows if row["clip_id"] == clip["clip_id"]] for name, clip in clips.items()
    }
    return clips, of_clip, read_rows(work / "manifests" / "rejects.parquet")


@pytest.mark.slow
def test_clips_say_how_they_are_shown(made):
    clips, _, _ = made
    shown = {
        name: (row["width"], row["height"], row["pixel_aspect"], row["tone_mapped"], row["size_changes"])
        for name, row in clips.items()
    }
    assert shown == {
        "squeezed.mp4": (512, 288, pytest.approx(64 / 45), False, 0),
        "square.mp4": (512, 288, 1.0, False, 0),
        "hdr.mkv": (512, 288, 1.0, True, 0),
        "sizes.mkv": (512, 288, 1.0, False, 2),
        "lapse.mov": (512, 288, 1.0, False, 0),
        "wide.mp4": (640, 2, 1.0, False, 0),
        "high.mp4": (2, 640, 1.0, False, 0),
    }
    assert clips["lapse.mov"]["rotation_deg"] == 90


@pytest.mark.slow
@pytest.mark.parametrize("name", ["squeezed.mp4", "hdr.mkv", "lapse.mov", "sizes.mkv"])
def test_the_face_is_where_and_as_wide_as_in_the_plain_video(made, name):
    _, faces_of, _ = made
    plain = np.array(faces_of["square.mp4"][0]["landmarks"]).reshape(68, 2)
    for row in faces_of[name]:
        if row["resized_from"] is None:
            actual = np.array(row["landmarks"]).reshape(68, 2)
            width = np.linalg.norm(plain[36] - plain[45])
            assert row["status"] == "ok"
            assert np.linalg.norm(actual - plain, axis=1).mean() < 0.04 * width
            stretch = np.ptp(actual, axis=0) / np.ptp(plain, axis=0)
            assert stretch == pytest.approx([1, 1], abs=0.03)


@pytest.mark.slow
def test_frames_of_another_size_are_named(made):
    _, faces_of, _ = made
    rows = faces_of["sizes.mkv"]
    assert [row["resized_from"] for row in rows] == [None, None, [640, 480], [640, 480], None, None]
    assert [row["status"] for row in rows] == ["ok"] * 6


@pytest.mark.slow
def test_very_wide_and_high_clips_have_no_face(made):
    _, faces_of, _ = made
    for name in ("wide.mp4", "high.mp4"):
        assert [row["status"] for row in faces_of[name]] == ["no_face"] * 3


@pytest.mark.slow
def test_large_frames_are_rejected(made):
    _, _, rejects = made
    ((reason, detail),) = [(row["reason"], row["detail"]) for row in rejects]
    assert reason == "too_large"
    assert "900 x 700 px, expected at most 600000" in detail


@pytest.mark.parametrize("stage", ["ingest", "faces"])
def test_time_that_is_up_gives_the_clip_up(tmp_path, stage):
    write_folder(tmp_path / "in", 1)
    recipe = {"name": "slow", "max_reject_rate": 1.0, stage: {"max_seconds": 1e-9}}
    prepare.run(PrepareConfig.model_validate(recipe), tmp_path / "in", tmp_path / "work")
    (reject,) = read_rows(tmp_path / "work" / "manifests" / "rejects.parquet")
    assert (reject["stage"], reject["reason"]) == (stage, "too_slow")


def test_readers_errors_that_give_a_clip_up_are_not_swallowed():
    class Failing:
        def frames(self, indices):
            yield from ()
            raise MediaError("clip needs more memory than there is", reason="out_of_memory")

    with pytest.raises(MediaError, match="more memory"):
        list(faces._readable(Failing(), [0]))


def test_changes_of_size_are_counted_within_clips():
    sizes = [None, [4, 3], [4, 3], None, [4, 3], [8, 6], [8, 6], None]
    table = pa.table(
        {
            "clip_id": [*"aaaabbbc"],
            "status": ["ok", "ok", "not_decoded", "ok", "ok", "ok", "no_face", "ok"],
            "resized_from": pa.array([*sizes[:2], None, *sizes[3:]], pa.list_(pa.int32(), 2)),
        }
    )
    assert size_changes(table).to_pylist() == [0, 1, 0, 1, 0, 1, 0, 0]
    assert size_changes(table.slice(7)).to_pylist() == [0]
