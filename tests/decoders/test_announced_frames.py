"""MP4 files that announce more frames than they hold, though their outermost boxes may be whole."""

import pytest

from fgbench.config import PrepareConfig
from fgbench.errors import MediaError
from fgbench.media.video import open_video
from fgbench.preparation import prepare
from fgbench.storage import read_rows
from tests.support import video_files as vf
from tests.support.clip_folders import write_folder

N_FRAMES = 157


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A clip whose index comes first."""
    path = tmp_path_factory.mktemp("whole") / "whole.mp4"
    return vf.write_clip(path, N_FRAMES, container_options={"movflags": "+faststart"})


def cut(whole, target, how, *, fraction=0.7):
    """The first part of the clip, its last box of no length, or of what is left, or filled up with zeros."""
    data = whole.read_bytes()
    left = data[: int(len(data) * fraction)]
    box = vf.atom(data, b"mdat")[0] - 8
    length = {"open": 0, "closed": len(left) - box}.get(how)
    if length is not None:
        left = left[:box] + length.to_bytes(4, "big") + left[box + 4 :]
    target.write_bytes(left + bytes(len(data) - len(left)) if how == "zeros" else left)
    return target


def frames_of(path):
    with open_video(path) as reader:
        info = reader.info
        numbers = [vf.read_number(frame.gray()) for frame in reader.frames(range(info.n_frames))]
    return info, numbers


@pytest.mark.parametrize("how", ["missing", "open", "closed", "zeros"])
def test_announced_and_held_are_told(whole, tmp_path, how):
    path = cut(whole, tmp_path / "cut.mp4", how)
    info, numbers = frames_of(path)
    assert info.is_truncated
    assert info.n_announced == N_FRAMES
    assert 90 < info.n_frames < 120
    assert numbers[:-1] == list(range(info.n_frames - 1))
    with open_video(path) as reader, pytest.raises(MediaError, match="breaks off before frame") as caught:
        list(reader.frames([N_FRAMES - 1]))
    assert caught.value.reason == "truncated"
    with pytest.raises(MediaError) as caught:
        open_video(path, "decord")
    assert caught.value.reason == "truncated"


@pytest.mark.slow
def test_whole_files_announce_nothing_that_they_lack(whole, tmp_path):
    """Also with B-frames, fragments, and frames that an edit list hides."""
    bare = vf.write_clip(tmp_path / "b.mp4", 60, options={"bf": "3", "g": "30"})
    fragments = {"movflags": "+frag_keyframe+empty_moov"}
    fragmented = vf.write_clip(tmp_path / "f.mp4", 60, options={"g": "12"}, container_options=fragments)
    trimmed = vf.copy_stream(whole, tmp_path / "trimmed.mp4", start_s=2.5)
    for path in (whole, bare, fragmented, trimmed):
        info, numbers = frames_of(path)
        assert (info.is_truncated, info.n_announced) == (False, None)
        assert len(numbers) == info.n_frames
    assert 60 < info.n_frames < N_FRAMES - 60


@pytest.mark.parametrize("lost", [2, 3])
def test_two_frames_are_tolerated(whole, tmp_path, lost):
    numbers = range(N_FRAMES - lost, N_FRAMES)
    path = vf.zero_packets(whole, tmp_path / "end.mp4", numbers=numbers)
    with open_video(path) as reader:
        assert reader.info.is_truncated == (lost > 2)


def test_black_pictures_that_are_stored_as_zeros_are_no_damage(tmp_path):
    import numpy as np

    black = [np.zeros((120, 160, 3), np.uint8)] * 12
    path = vf.write_clip(
        tmp_path / "raw.mov", 12, codec="rawvideo", pixel_format="rgb24", options={}, pictures=black
    )
    with open_video(path) as reader:
        assert (reader.info.n_frames, reader.info.is_truncated) == (12, False)


@pytest.mark.slow
def test_the_recipe_says_whether_what_is_left_is_used(whole, tmp_path):
    root = write_folder(tmp_path / "in", 2)
    first = sorted((root / "videos").rglob("*.mp4"))[0]
    cut(whole, first, "closed")
    sections = {"faces": {"align": "never"}, "sample": {"video": "none"}, "lbp": {"enabled": False}}

    def prepared(work, **ingest):
        config = PrepareConfig.model_validate({"name": "cut", "ingest": ingest, **sections})
        prepare.run(config, root, work)
        manifests = work / "manifests"
        return [read_rows(manifests / f"{name}.parquet") for name in ("clips", "rejects")]

    clips, rejects = map(list, prepared(tmp_path / "reject"))
    (reject,) = rejects
    assert len(clips) == 1
    assert (reject["stage"], reject["reason"]) == ("ingest", "truncated")
    n_held = frames_of(first)[0].n_frames
    assert f"it holds {n_held} frames of {N_FRAMES} that it announces" in reject["detail"]
    assert "ingest.truncated: use" in reject["detail"]
    clips, rejects = map(list, prepared(tmp_path / "use", truncated="use"))
    assert rejects == []
    marked = [(row["truncated"], row["n_announced"], row["n_frames"]) for row in clips]
    assert (True, N_FRAMES, n_held) in marked
    assert [one for one in marked if not one[0]] == [(False, None, clips[1]["n_frames"])]
