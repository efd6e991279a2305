"""Pixels that are not square: frames are as a player shows them."""

from fractions import Fraction

import numpy as np
import pytest

from fgbench.media.decoders._canvas import square_size, usable_aspect
from fgbench.media.video import open_video
from tests.support import video_files as vf
from tests.support.shown_videos import DVD_ASPECT, portrait, write_squeezed

NTSC = Fraction(8, 9)


def mean_error(actual, expected):
    return np.abs(actual.astype(int) - expected).mean()


@pytest.mark.parametrize(
    ("stored", "aspect", "size"),
    [
        ((720, 576), Fraction(16, 15), (768, 576)),
        ((720, 576), DVD_ASPECT, (1024, 576)),
        ((720, 480), NTSC, (720, 540)),
        ((720, 480), Fraction(32, 27), (853, 480)),
        ((1440, 1080), Fraction(4, 3), (1920, 1080)),
        ((352, 576), Fraction(24, 11), (768, 576)),
        ((640, 480), Fraction(1), (640, 480)),
    ],
)
def test_the_long_side_of_the_pixels_is_enlarged_and_no_side_is_reduced(stored, aspect, size):
    assert square_size(stored, aspect) == size


@pytest.mark.parametrize("stated", [None, Fraction(0), Fraction(-4, 3), Fraction(9), Fraction(1, 9)])
def test_nonsense_is_ignored(stated):
    assert usable_aspect(stated) == 1


@pytest.mark.parametrize(
    ("suffix", "aspect", "size"),
    [
        *((suffix, DVD_ASPECT, (512, 288)) for suffix in ("mp4", "mkv", "ts", "avi", "mpg")),
        *((suffix, NTSC, (360, 324)) for suffix in ("mp4", "mkv", "ts", "avi")),
    ],
)
def test_frames_have_square_pixels(tmp_path, suffix, aspect, size):
    upright = portrait(size)
    codec = {"codec": "mpeg2video", "options": {"q": "2"}} if suffix == "mpg" else {}
    path = write_squeezed(tmp_path / f"clip.{suffix}", upright, (360, 288), aspect, **codec)
    with open_video(path) as reader:
        info = reader.info
        assert (info.width, info.height) == size
        assert info.pixel_aspect == pytest.approx(float(aspect))
        for frame in reader.frames([1]):
            assert frame.size == size
            assert frame.resized_from is None
            rgb, gray = frame.rgb(), frame.gray()
            assert rgb.shape == (size[1], size[0], 3)
            assert gray.shape == (size[1], size[0])
            assert mean_error(rgb, upright) < 6
            box = (37, 40, 101, 173)
            np.testing.assert_array_equal(frame.rgb(box), rgb[40:173, 37:101])


def test_a_turn_swaps_the_sides(tmp_path):
    upright = portrait((288, 512))
    stored = vf.stored_from_upright(upright, vf.CLOCKWISE_90)  # 512 x 288
    plain = write_squeezed(tmp_path / "plain.mp4", stored, (360, 288), DVD_ASPECT)
    path = vf.set_display_matrix(plain, tmp_path / "turned.mp4", vf.CLOCKWISE_90)
    with open_video(path) as reader:
        assert (reader.info.width, reader.info.height, reader.info.rotation_deg) == (288, 512, 90)
        (frame,) = reader.frames([0])
        assert mean_error(frame.rgb(), upright) < 6
        assert frame.gray().shape == (512, 288)


@pytest.mark.parametrize("matrix", [None, vf.CLOCKWISE_90])
def test_decord_gives_the_same(tmp_path, matrix):
    path = write_squeezed(tmp_path / "clip.mp4", portrait((512, 288)), (360, 288), DVD_ASPECT)
    if matrix is not None:
        path = vf.set_display_matrix(path, tmp_path / "turned.mp4", matrix)
    with open_video(path) as first, open_video(path, "decord") as second:
        assert first.info == second.info
        for one, other in zip(first.frames(), second.frames(), strict=True):
            assert one.size == other.size
            np.testing.assert_array_equal(one.rgb(), other.rgb())
            assert mean_error(one.gray(), other.gray()) < 1
