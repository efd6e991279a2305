"""PQ and HLG: frames look as those of other videos do."""

import numpy as np
import pytest

from fgbench.errors import MediaError
from fgbench.media.decoders._tone import compressed, hlg_scene_light, pq_coded, pq_nits
from fgbench.media.video import open_video
from tests.support.shown_videos import HLG, PQ, portrait, write_hdr


@pytest.fixture(scope="module", params=[PQ, HLG], ids=["pq", "hlg"])
def clip(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("hdr") / "clip.mkv"
    return write_hdr(path, portrait((256, 256)), request.param)


def test_an_sdr_picture_comes_back(clip):
    """What is darker than 92 of 203 cd/m2 (180 of 255) comes back as it was; highlights are compressed."""
    expected = portrait((256, 256)).astype(int)
    with open_video(clip) as reader:
        assert reader.info.tone_mapped
        for frame in reader.frames():
            actual = frame.rgb().astype(int)
            assert np.abs(actual - expected).mean() < 6  # without tone mapping: 50
            dark = expected.max(axis=2) < 170
            assert np.abs(actual - expected)[dark].mean() < 1.5
            assert actual[expected.min(axis=2) > 250].min() > 215
            np.testing.assert_array_equal(frame.rgb((17, 30, 90, 101)), actual[30:101, 17:90])


def test_luma_is_that_of_the_picture_shown(clip):
    """In limited range, as the file is; exact for grey, near for colours."""
    with open_video(clip) as reader:
        (frame,) = reader.frames([0])
        rgb = frame.rgb().astype(float)
        expected = 16 + rgb @ [0.2126, 0.7152, 0.0722] * 219 / 255
        error = np.abs(frame.gray() - expected)
        grey = np.ptp(rgb, axis=2) < 3
        assert grey.sum() > 500
        assert error[grey].max() <= 2.5
        assert error.mean() < 4


def test_other_ten_bit_videos_stay_as_they_are(tmp_path):
    upright = portrait((128, 128))
    with open_video(write_hdr(tmp_path / "sdr.mkv", upright, 1)) as reader:
        assert not reader.info.tone_mapped


def test_decord_refuses(tmp_path, clip):
    with pytest.raises(MediaError) as caught:
        open_video(clip, "decord")
    assert caught.value.reason == "decoder_unsafe"


def test_curves():
    """Points of SMPTE ST 2084, ITU-R BT.2100 and BT.2408 (table 1: 203 cd/m2 is 58 % PQ and 75 % HLG)."""
    assert pq_coded(np.array([0.0, 100.0, 203.0, 1000.0, 10000.0])) == pytest.approx(
        [0, 0.5081, 0.5807, 0.7518, 1], abs=1e-4
    )
    assert pq_nits(pq_coded(np.array([0.01, 1, 500]))) == pytest.approx([0.01, 1, 500])
    assert hlg_scene_light(np.array([0, 0.5, 0.75, 1])) == pytest.approx([0, 1 / 12, 0.26496, 1], abs=1e-4)
    nits = np.array([0, 1, 50, 90, 203, 400, 1000, 4000])
    actual = compressed(nits)
    assert actual[:4] == pytest.approx(nits[:4], rel=1e-3)
    assert actual[4] == pytest.approx(159, abs=1)
    assert (np.diff(actual)[:6] > 0).all()
    assert actual[6:] == pytest.approx([203, 203])
