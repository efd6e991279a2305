"""Frame numbers are exact: every trap file, both decoders, in order and at random."""

import numpy as np
import pytest

from fgbench.errors import MediaError
from fgbench.media.video import open_video
from tests.support.trap_clips import CLIPS, IRREGULAR_MS, plain_decode
from tests.support.video_files import read_number

# The number on the first frame that is shown, where it is not 0.
FIRST_NUMBER = {
    "edits.mp4": 13,
    "edits_irregular.mov": next(k for k, time in enumerate(IRREGULAR_MS) if time >= 720),
    "edits_hevc.mp4": 13,
    "open_start.mkv": 10,
    "no_first_key.mp4": 10,
    "no_first_key.mkv": 10,
}

# Files of which decord's frame numbers and pictures are certain; it has to refuse the others.
READ_BY_DECORD = {
    "plain.mp4",
    "plain.mkv",
    "plain.mov",
    "faststart.mp4",
    "fragmented.mp4",
    "long_group.mp4",
    "pyramid.mp4",
    "irregular.mp4",
    "irregular.mkv",
    "single.mp4",
    "single.mkv",
    "refresh.mp4",
    "hevc.mp4",
    "vp9.webm",
    "yuv422.mp4",
    "rgb.mp4",
}


def index_sets(n_frames):
    """Single frames, neighbourhoods, even steps and jumps."""
    rng = np.random.default_rng(n_frames)
    yield [n_frames - 1]
    yield [0]
    for _ in range(6):
        first = int(rng.integers(n_frames))
        yield [first]
        yield list(range(first, min(first + 16, n_frames)))
        yield sorted(rng.choice(n_frames, size=min(4, n_frames), replace=False).tolist())
    yield list(range(0, n_frames, 7))


@pytest.mark.parametrize("name", CLIPS)
def test_frames_are_those_of_a_plain_decode(clips, name):
    expected = plain_decode(clips[name])
    with open_video(clips[name]) as reader:
        frames = list(reader.frames())
        assert reader.info.n_frames == len(expected)
    assert [frame.index for frame in frames] == list(range(len(expected)))
    assert all(np.array_equal(frame.rgb(), image) for frame, image in zip(frames, expected, strict=True))
    first = FIRST_NUMBER.get(name, 0)
    assert [read_number(frame.gray()) for frame in frames] == list(range(first, first + len(expected)))
    assert not any(frame.is_corrupt for frame in frames)


@pytest.mark.parametrize("name", CLIPS)
def test_frames_at_random_are_those_read_in_order(clips, name):
    with open_video(clips[name]) as reader:
        in_order = [(frame.time_s, frame.rgb()) for frame in reader.frames()]
        for indices in index_sets(len(in_order)):
            frames = list(reader.frames(indices))
            assert [frame.index for frame in frames] == indices
            for frame in frames:
                time_s, image = in_order[frame.index]
                assert frame.time_s == time_s
                assert np.array_equal(frame.rgb(), image)
                assert not frame.is_corrupt


@pytest.mark.parametrize("name", CLIPS)
def test_decord_gives_the_same_or_refuses(clips, name):
    if name not in READ_BY_DECORD:
        with pytest.raises(MediaError, match=r"wrong frames.*\n.*pyav") as caught:
            open_video(clips[name], "decord")
        assert caught.value.reason == "decoder_unsafe"
        return
    with open_video(clips[name]) as reader, open_video(clips[name], "decord") as other:
        assert other.info == reader.info
        in_order = list(reader.frames())
        for indices in [None, *index_sets(len(in_order))]:
            frames = list(other.frames(indices))
            assert [frame.index for frame in frames] == (indices or list(range(len(in_order))))
            for frame in frames:
                expected = in_order[frame.index]
                assert (frame.time_s, frame.size) == (expected.time_s, expected.size)
                assert np.array_equal(frame.rgb(), expected.rgb())


@pytest.mark.parametrize("decoder", ["pyav", "decord"])
def test_frame_numbers_that_are_not_there_are_left_out(clips, decoder):
    with open_video(clips["plain.mp4"], decoder) as reader:
        assert [frame.index for frame in reader.frames([38, 39, 40, 1000])] == [38, 39]
        assert list(reader.frames([])) == []


@pytest.mark.slow
def test_real_clips_give_the_frames_of_a_plain_decode(face_clips):
    for name in ("no_face.mp4", "single_face.mp4"):
        expected = plain_decode(face_clips / name)
        with open_video(face_clips / name) as reader:
            assert reader.info.n_frames == len(expected)
            for indices in ([len(expected) - 1], [40, 41, 60]):
                for frame in reader.frames(indices):
                    assert np.array_equal(frame.rgb(), expected[frame.index])
