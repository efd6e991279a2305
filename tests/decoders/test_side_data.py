"""Frames with side data of their own: EXIF in the pictures of a time-lapse."""

import numpy as np
import pytest
from shown_videos import portrait, write_time_lapse

from fgbench.video import open_video

# Value of the EXIF tag to what makes the stored picture upright (EXIF 2.3, table 6).
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("suffix", ["mov", "avi", "mkv"])
def test_films_of_jpeg_pictures_are_upright(tmp_path, orientation, suffix):
    stored = portrait((160, 128))
    path = write_time_lapse(tmp_path / f"lapse.{suffix}", stored, orientation)
    expected = UPRIGHT[orientation](stored)
    with open_video(path) as reader:
        assert reader.info.n_frames == 3
        assert (reader.info.height, reader.info.width) == expected.shape[:2]
        frames = list(reader.frames())
    assert len(frames) == 3
    for frame in frames:
        assert np.abs(frame.rgb().astype(int) - expected).mean() < 5
        assert frame.gray().shape == expected.shape[:2]
