"""Frames with side data of their own: EXIF in the pictures of a time-lapse."""

import av
import numpy as np
import pytest
from av.sidedata.sidedata import Type

from fgbench.media.decoders._side_data import _allow_unknown_kinds
from fgbench.media.video import open_video
from tests.support.shown_videos import portrait, write_time_lapse

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


@pytest.mark.parametrize("value", [-1, 40, 1000, 2**31 - 1])
def test_a_kind_that_the_binding_has_no_name_for_gets_one(value):
    _allow_unknown_kinds()
    unnamed = Type(value)
    assert unnamed.value == value
    assert unnamed.name == f"KIND_{value}"
    assert Type(Type.DISPLAYMATRIX.value) is Type.DISPLAYMATRIX


X265 = (
    "log-level=none:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(1,1):max-cll=1,1"
)


@pytest.mark.parametrize(
    ("codec", "options", "kind"),
    [
        ("libx264", {"udu_sei": "1"}, "SEI_UNREGISTERED"),
        ("libx265", {"x265-params": X265}, "MASTERING_DISPLAY_METADATA"),
        ("mpeg2video", {}, "PANSCAN"),
    ],
)
def test_frames_with_other_side_data_are_read(tmp_path, codec, options, kind):
    stored = portrait((160, 128))
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=25, width=160, height=128, pix_fmt="yuv420p", options=options)
        for _ in range(3):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(stored)))
        out.mux(stream.encode())
    with av.open(str(path)) as file:
        assert kind in {data.type.name for data in next(file.decode(video=0)).side_data}
    with open_video(path) as reader:
        frames = list(reader.frames())
    assert len(frames) == 3
    assert np.abs(frames[0].rgb().astype(int) - stored).mean() < 8
