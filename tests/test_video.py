"""Opening video files: what is refused and why, what a probe tells, and the contract of iteration."""

import av
import numpy as np
import pytest

from fgbench.errors import ConfigError, MediaError
from fgbench.media.video import check_indices, frame_rate, open_video
from tests.support import video_files as vf

DECODERS = ["pyav", "decord"]


def refusal(path, decoder="pyav"):
    """Reason and text of the error that opening a file raises."""
    with pytest.raises(MediaError) as caught:
        open_video(path, decoder)
    return caught.value.reason, str(caught.value)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return vf.write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", 30)


@pytest.fixture(scope="module")
def faststart(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "faststart.mp4"
    return vf.write_clip(path, container_options={"movflags": "+faststart"})


@pytest.mark.parametrize("decoder", DECODERS)
def test_missing_file(tmp_path, decoder):
    reason, text = refusal(tmp_path / "none.mp4", decoder)
    assert reason == "missing_file"
    assert "none.mp4 does not exist\ncheck the data root" in text


@pytest.mark.parametrize("decoder", DECODERS)
def test_empty_file(tmp_path, decoder):
    path = tmp_path / "empty.mp4"
    path.touch()
    assert refusal(path, decoder)[0] == "empty_file"


@pytest.mark.parametrize("decoder", DECODERS)
def test_folder(tmp_path, decoder):
    assert refusal(tmp_path, decoder)[0] == "not_a_file"


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize(
    "text",
    [
        "clip,label,key_frame\nc1.mp4,happy,3\n",
        "ffconcat version 1.0\nfile clip.mp4\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\nclip.mp4\n#EXT-X-ENDLIST\n",
    ],
    ids=["table", "list of files", "play list"],
)
def test_text_named_as_video(tmp_path, decoder, text):
    vf.write_clip(tmp_path / "clip.mp4", 2)
    path = tmp_path / "text.mp4"
    path.write_text(text, encoding="utf-8")
    assert refusal(path, decoder)[0] == "unreadable"


@pytest.mark.parametrize("decoder", DECODERS)
def test_sound_without_picture(tmp_path, decoder):
    assert refusal(vf.write_audio(tmp_path / "sound.mp4"), decoder)[0] == "no_video_stream"


@pytest.mark.parametrize("decoder", DECODERS)
def test_sound_with_a_cover_picture_is_no_video(tmp_path, decoder):
    assert refusal(vf.write_sound_with_cover(tmp_path / "sound.m4a"), decoder)[0] == "no_video_stream"


@pytest.mark.parametrize("decoder", DECODERS)
def test_cut_file_without_its_index_at_the_end(clip, tmp_path, decoder):
    reason, text = refusal(vf.cut(clip, tmp_path / "cut.mp4", fraction=0.6), decoder)
    assert reason == "truncated"
    size = clip.stat().st_size
    mdat_end = vf.atom(clip.read_bytes(), b"mdat")[1]
    assert f"at least {mdat_end - int(size * 0.6)} bytes are missing" in text


@pytest.mark.parametrize("decoder", DECODERS)
def test_video_stream_without_a_frame(clip, tmp_path, decoder):
    path = vf.zero_packets(clip, tmp_path / "zero.mp4", numbers=range(30))
    for use in (lambda reader: reader.info, lambda reader: list(reader.frames([4]))):
        with pytest.raises(MediaError, match="no frame of it can be decoded") as caught:
            use(open_video(path, decoder))
        assert caught.value.reason == "no_frames"


def test_unknown_decoder(clip):
    with pytest.raises(ConfigError, match="unknown decoder 'pyavv'\ndid you mean 'pyav'"):
        open_video(clip, "pyavv")


def test_names_that_ffmpeg_would_read_as_something_else(tmp_path):
    path = vf.write_clip(tmp_path / "plain.mp4", 3).rename(tmp_path / "concat:a b %03d.mp4")
    for decoder in DECODERS:
        with open_video(path, decoder) as reader:
            assert len(list(reader.frames())) == 3


def test_text_in_the_header_need_not_be_unicode(clip, tmp_path):
    path = tmp_path / "latin.mp4"
    path.write_bytes(clip.read_bytes().replace(b"VideoHandler", b"Vid\xe9oHandler"))
    with open_video(path) as reader:
        assert reader.info.n_frames == 30


@pytest.mark.parametrize("decoder", DECODERS)
def test_info_of_a_plain_clip(clip, decoder):
    with open_video(clip, decoder) as reader:
        info = reader.info
    assert info.container == "mov,mp4,m4a,3gp,3g2,mj2"
    assert (info.codec, info.pixel_format) == ("h264", "yuv420p")
    assert (info.width, info.height, info.rotation_deg, info.mirrored) == (160, 120, 0, False)
    assert (info.fps, info.n_frames, info.duration_s) == (25.0, 30, 1.2)
    assert not info.is_truncated


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_times_of_irregular_frames(tmp_path, suffix):
    times_ms = [0, 40, 50, 120, 200, 233, 400]
    path = vf.write_clip(tmp_path / f"clip.{suffix}", len(times_ms), times_ms=times_ms)
    with open_video(path) as reader:
        assert [frame.time_s for frame in reader.frames()] == pytest.approx(np.array(times_ms) / 1000)
        info = reader.info
    with av.open(str(path)) as container:
        last_ms = max((p.pts, 1000 * p.duration * p.time_base) for p in container.demux(video=0) if p.size)[1]
    assert info.duration_s == pytest.approx((400 + float(last_ms)) / 1000)
    assert info.fps == pytest.approx(7 / info.duration_s)


@pytest.mark.parametrize("name", ["a.avi", "a.mkv", "a.ts", "a.mov", "a.wmv"])
def test_rate_and_duration_in_other_containers(tmp_path, name):
    codec = "wmv2" if name == "a.wmv" else "libx264"
    path = vf.write_clip(tmp_path / name, 12, codec=codec)
    with open_video(path) as reader:
        assert (reader.info.fps, reader.info.n_frames) == (25.0, 12)
        assert reader.info.duration_s == pytest.approx(0.48)
        times_s = [frame.time_s for frame in reader.frames()]
    assert times_s == pytest.approx([k / 25 for k in range(12)])


def test_single_frame(tmp_path):
    with open_video(vf.write_clip(tmp_path / "one.mp4", 1)) as reader:
        assert (reader.info.n_frames, reader.info.fps, reader.info.duration_s) == (1, 25.0, 0.04)


def test_file_cut_in_its_media_data_gives_what_is_left(faststart, tmp_path):
    path = vf.cut(faststart, tmp_path / "cut.mp4", fraction=0.6)
    with open_video(path) as reader:
        n_left = reader.info.n_frames
        assert reader.info.is_truncated
        assert 10 < n_left < 30
        given = []
        with pytest.raises(MediaError, match=f"breaks off before frame {n_left}: at least") as caught:
            given += reader.frames()
        assert caught.value.reason == "truncated"
        given = list(reader.frames(range(n_left)))
        assert [vf.read_number(frame.gray()) for frame in given[:-1]] == list(range(n_left - 1))
        with pytest.raises(MediaError, match="breaks off before frame 35"):
            list(reader.frames([2, 35]))
    assert refusal(path, "decord")[0] == "truncated"


@pytest.mark.parametrize("name", ["cut.mkv", "cut.avi", "cut.mp4"])
def test_other_containers_tell_that_they_were_cut(tmp_path, name):
    fragments = {"movflags": "+frag_keyframe+empty_moov"} if name == "cut.mp4" else {}
    whole = vf.write_clip(tmp_path / f"whole_{name}", container_options=fragments)
    with open_video(whole) as reader:
        assert not reader.info.is_truncated
    with open_video(vf.cut(whole, tmp_path / name, fraction=0.7)) as reader:
        assert reader.info.is_truncated
        assert 10 < reader.info.n_frames < 40


@pytest.mark.parametrize("decoder", DECODERS)
def test_frames_can_be_read_again_and_one_at_a_time(clip, decoder):
    with open_video(clip, decoder) as reader:
        assert len(list(reader.frames())) == 30
        assert [vf.read_number(frame.gray()) for frame in reader.frames([7])] == [7]
        first = reader.frames()
        assert next(first).index == 0
        second = reader.frames([3, 4])
        assert next(second).index == 3
        with pytest.raises(RuntimeError, match="has begun another iteration"):
            next(first)
        assert next(second).index == 4


@pytest.mark.parametrize("decoder", DECODERS)
def test_closed_reader(clip, decoder):
    with open_video(clip, decoder) as reader:
        frames = reader.frames()
        next(frames)
    with pytest.raises(RuntimeError, match="the reader was closed"):
        next(frames)


@pytest.mark.parametrize("decoder", DECODERS)
def test_frame_numbers_out_of_order_are_refused(clip, decoder):
    with open_video(clip, decoder) as reader:
        for indices in ([3, 3], [5, 2], [-1]):
            with pytest.raises(ValueError, match="expected strictly increasing from 0"):
                reader.frames(indices)


def test_check_indices_gives_them_back():
    assert check_indices(range(3, 9, 2)) == range(3, 9, 2)


@pytest.mark.parametrize(
    ("n_frames", "duration_s", "expected"),
    [
        (300, 10.01, 30000 / 1001),
        (300, 10.011, 30000 / 1001),  # time stamps rounded to milliseconds
        (300, 12.0, 25.0),
        (1, 0.5, 2.0),
    ],
)
def test_frame_rate(n_frames, duration_s, expected):
    rate = frame_rate(n_frames, duration_s, declared_fps=30000 / 1001, tick_s=0.001)
    assert rate == pytest.approx(expected, rel=1e-9)
