"""Times of frames where the rate varies, and none where it does not."""

from fractions import Fraction

import numpy as np
import pytest

from fgbench.media.decoders._timeline import Shown
from fgbench.media.video import open_video
from tests.support.trap_clips import IRREGULAR_MS
from tests.support.video_files import write_clip

WITH_TIMES = ["irregular.mp4", "irregular.mkv", "edits_irregular.mov"]
EVEN = ["plain.mp4", "plain.mkv", "plain.avi", "plain.ts", "hevc.mp4", "vp8_hidden.webm", "single.mkv"]


@pytest.mark.parametrize("name", [*WITH_TIMES, *EVEN])
def test_times_are_those_of_the_frames_and_none_where_they_are_even(clips, name):
    with open_video(clips[name]) as reader:
        n_frames, fps = reader.info.n_frames, reader.info.fps
        actual = reader.uneven_times_s(range(n_frames))
        times_s = [frame.time_s for frame in reader.frames()]
        some = reader.uneven_times_s([n_frames - 1, 0, 0])
    if name in WITH_TIMES:
        assert actual == pytest.approx(times_s, abs=1e-9)
        assert some == (actual[-1], 0.0, 0.0)
    else:
        assert (actual, some) == (None, None)
        assert times_s == pytest.approx([index / fps for index in range(n_frames)], abs=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "codec"), [("ts", "libx264"), ("webm", "libvpx"), ("mkv", "mpeg4"), ("avi", "libx264")]
)
def test_frames_that_have_to_be_counted_have_times_too(tmp_path, kind, codec):
    path = write_clip(tmp_path / f"a.{kind}", codec=codec, times_ms=IRREGULAR_MS)
    with open_video(path) as reader:
        actual = reader.uneven_times_s(range(0, 40, 3))
    # AVI tells the order of frames alone.
    expected = None if kind == "avi" else pytest.approx(np.array(IRREGULAR_MS)[::3] / 1000, abs=2e-3)
    assert actual == expected


def test_decord_tells_the_times_of_the_default_decoder(clips):
    pytest.importorskip("decord")
    for name in ("irregular.mp4", "plain.mp4"):
        with open_video(clips[name]) as one, open_video(clips[name], "decord") as other:
            assert one.uneven_times_s([3, 30]) == other.uneven_times_s([3, 30])


@pytest.mark.parametrize("fps", [10, 15, Fraction(24000, 1001), 24, 25, Fraction(30000, 1001), 30, 50])
@pytest.mark.parametrize("per_second", [100, 600, 1000, 90000])
def test_rounded_time_stamps_of_an_even_rate_are_even(fps, per_second):
    pts = np.array([round(number * per_second / fps) for number in range(500)], np.int64)
    shown = Shown(n_frames=500, span=round(500 * per_second / fps), pts=pts)
    rate = 500 * per_second / shown.span  # the mean, where the header does not say
    for reported in (float(fps), rate):
        assert shown.uneven_s(reported, Fraction(1, per_second)) is None


def test_a_frame_that_is_left_out_is_uneven_also_in_long_ticks():
    pts = np.delete(np.arange(101), 70)
    shown = Shown(n_frames=100, span=101, pts=pts)
    actual = shown.uneven_s(25 * 100 / 101, Fraction(1, 25))
    np.testing.assert_allclose(actual, pts / 25)


def test_frames_without_times_have_none():
    assert Shown(n_frames=3, span=0, pts=None).uneven_s(25.0, Fraction(1, 25)) is None


def test_times_that_go_back_tell_nothing():
    """Joined recordings begin anew: frames of both have one time, and their key frames would agree."""
    pts = np.array([0, 40, 90, 0, 40, 90], np.int64)
    assert Shown(n_frames=6, span=130, pts=pts).uneven_s(25.0, Fraction(1, 1000)) is None
