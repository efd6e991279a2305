"""Clips whose size changes, and frames that are too large."""

from dataclasses import replace

import numpy as np
import pytest

from fgbench.errors import MediaError
from fgbench.media.video import NO_LIMITS, Limits, open_video
from tests.support import video_files as vf
from tests.support.shown_videos import DVD_ASPECT, portrait, write_sizes, write_squeezed

PARTS = [vf.picture(1, (320, 240)), vf.picture(2, (640, 360)), vf.picture(3, (160, 120))]


@pytest.fixture(scope="module", params=["mkv", "h264"])
def changing(request, tmp_path_factory):
    return write_sizes(tmp_path_factory.mktemp("sizes") / f"clip.{request.param}", PARTS)


def test_all_frames_have_the_size_of_the_first(changing):
    with open_video(changing) as reader:
        assert (reader.info.width, reader.info.height, reader.info.n_frames) == (320, 240, 12)
        frames = list(reader.frames())
    assert {frame.size for frame in frames} == {(320, 240)}
    assert [frame.resized_from for frame in frames] == [None] * 4 + [(640, 360)] * 4 + [(160, 120)] * 4
    for frame in frames:
        assert frame.gray().shape == (240, 320)
        assert frame.rgb().shape == (240, 320, 3)
        np.testing.assert_array_equal(frame.rgb((30, 50, 80, 90)), frame.rgb()[50:90, 30:80])


def test_other_sizes_are_fitted_in_with_their_shape_kept(changing):
    with open_video(changing) as reader:
        wide, small = reader.frames([5, 9])
    assert wide.rgb()[:29].max() < 8  # 640 x 360 becomes 320 x 180 in the middle
    assert wide.rgb()[211:].max() < 8
    expected = vf.picture(2, (640, 360))[::2, ::2]
    assert np.abs(wide.rgb()[30:210].astype(int) - expected).mean() < 8
    assert vf.read_number(small.rgb()[::2, ::2]) == 3  # enlarged to all of it


def test_the_size_is_that_of_the_first_frame_wherever_reading_begins(changing):
    with open_video(changing) as reader:
        (late,) = reader.frames([6])
        assert late.size == (320, 240)
        assert late.resized_from == (640, 360)


@pytest.mark.slow
def test_large_frames_are_refused_from_the_header(tmp_path):
    path = vf.write_clip(
        tmp_path / "large.mp4", 1, size=(6400, 6400), pictures=[np.zeros((6400, 6400, 3), "u1")]
    )
    with pytest.raises(MediaError, match="6400 x 6400 px, expected at most 36000000") as caught:
        open_video(path)
    assert caught.value.reason == "too_large"
    with open_video(path, limits=NO_LIMITS) as reader:
        assert reader.info.width == 6400


@pytest.mark.parametrize("decoder", ["pyav", "decord"])
def test_the_limit_counts_square_pixels(tmp_path, decoder):
    path = write_squeezed(tmp_path / "clip.mp4", portrait((512, 288)), (360, 288), DVD_ASPECT)
    with (
        pytest.raises(MediaError, match="512 x 288") as caught,
        open_video(path, decoder, limits=Limits(max_frame_px=512 * 288 - 1)) as reader,
    ):
        assert reader.info
    assert caught.value.reason == "too_large"
    with open_video(path, decoder, limits=Limits(max_frame_px=512 * 288)) as reader:
        assert reader.info.width == 512


def test_frames_that_grow_midway_are_refused(tmp_path):
    path = write_sizes(tmp_path / "clip.mkv", PARTS[:2])
    with open_video(path, limits=Limits(max_frame_px=320 * 240)) as reader:
        frames = reader.frames()
        assert [next(frames).index for _ in range(3)] == [0, 1, 2]
        with pytest.raises(MediaError, match="640 x") as caught:
            list(frames)
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize("decoder", ["pyav", "decord"])
def test_time_that_is_up(tmp_path, decoder):
    path = vf.write_clip(tmp_path / "clip.mp4", 4, options={**vf.QUICK, "bf": "0"})
    with pytest.raises(MediaError, match="not done after 1e-09 s") as caught:
        open_video(path, decoder, limits=replace(NO_LIMITS, max_seconds=1e-9))
    assert caught.value.reason == "too_slow"
