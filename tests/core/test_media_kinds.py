"""What a file is, by its name and by its first bytes."""

import os

import numpy as np
import pytest
from PIL import Image

from fgbench.errors import MediaError
from fgbench.media import video
from fgbench.media.kinds import (
    OTHER_SUFFIXES,
    PICTURE_SUFFIXES,
    TABLE_SUFFIXES,
    TEXT_SUFFIXES,
    VIDEO_SUFFIXES,
    is_frame,
    is_picture,
    is_video,
    kind_by_content,
    kind_of,
    kind_of_bytes,
    kind_of_name,
)
from tests.support import video_files as vf

GREYS = [Image.fromarray(np.full((24, 32, 3), level, np.uint8)) for level in (20, 120, 240)]


def test_every_suffix_has_one_kind():
    sets = [PICTURE_SUFFIXES, VIDEO_SUFFIXES, TABLE_SUFFIXES, TEXT_SUFFIXES, OTHER_SUFFIXES]
    assert len(frozenset().union(*sets)) == sum(map(len, sets))


@pytest.mark.parametrize("suffix", ["JFIF", "jpe", "heic", "HIF", "avif", "jp2", "tga", "mpo", "webp"])
def test_pictures_by_name(suffix):
    name = f"a.{suffix}"
    assert is_picture(name)
    assert not is_video(name)
    assert kind_of_name(name) == "picture"


@pytest.mark.parametrize(
    "suffix", ["MTS", "m2ts", "ts", "3gp", "vob", "ogv", "mxf", "wmv", "flv", "asf", "mpg"]
)
def test_videos_by_name(suffix):
    name = f"a.{suffix}"
    assert is_video(name)
    assert not is_picture(name)


def test_names_that_do_not_tell():
    assert kind_of_name("README") is None
    assert kind_of_name("take.001") is None
    assert not is_picture("._a.jpg")
    assert is_frame("a.gif")
    assert not is_frame(".a.gif")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "BMP", "TIFF", "WEBP", "AVIF", "PPM", "JPEG2000", "MPO"])
def test_pictures_by_content(tmp_path, form):
    GREYS[0].save(tmp_path / "x.dat", form)
    assert kind_of(tmp_path / "x.dat") == "picture"
    assert video.decoder_for(tmp_path / "x.dat") == "pictures"


@pytest.mark.parametrize(
    "container", ["mp4", "mov", "avi", "matroska", "webm", "mpegts", "vob", "ogv", "flv", "asf", "3gp", "mxf"]
)
def test_videos_by_content(tmp_path, container):
    import av

    path = tmp_path / "x"
    codec = {"webm": "libvpx", "ogv": "libvpx", "flv": "flv", "asf": "wmv2"}.get(container, "mpeg4")
    codec = {"mxf": "mpeg2video", "vob": "mpeg2video", "mpegts": "mpeg2video"}.get(container, codec)
    with av.open(str(path), "w", format=container) as out:
        stream = out.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 128, "yuv420p"
        for number in range(4):
            frame = av.VideoFrame.from_ndarray(np.full((128, 160, 3), 40 * number, np.uint8), format="rgb24")
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    assert kind_of(path) == "video"
    assert video.decoder_for(path, "decord") == "decord"


@pytest.mark.parametrize(("form", "name"), [("GIF", "a.gif"), ("PNG", "a.png"), ("GIF", "a.jpg")])
def test_a_gif_or_png_of_several_frames_is_a_clip(tmp_path, form, name):
    path = tmp_path / name
    GREYS[0].save(path, form, save_all=True, append_images=GREYS[1:], duration=100)
    assert video.decoder_for(path) == "pyav"
    with video.open_video(path) as reader:
        levels = [int(frame.rgb().mean()) for frame in reader.frames()]
    assert np.allclose(levels, [20, 120, 240], atol=2)


def test_a_gif_whose_frames_have_no_times_is_refused(tmp_path):
    """FFmpeg would take it for one frame."""
    path = tmp_path / "a.gif"
    GREYS[0].save(path, save_all=True, append_images=GREYS[1:])
    assert video.decoder_for(path) == "pictures"
    with pytest.raises(MediaError, match="several frames") as caught:
        video.open_video(path, "pictures")
    assert caught.value.reason == "animated_picture"


def test_a_gif_of_one_frame_is_a_picture(tmp_path):
    GREYS[1].save(tmp_path / "a.gif")
    assert video.decoder_for(tmp_path / "a.gif") == "pictures"


def test_content_tells_where_the_name_lies(tmp_path):
    GREYS[0].save(tmp_path / "a.mp4", "JPEG")
    assert video.decoder_for(tmp_path / "a.mp4") == "pictures"
    vf.write_clip(tmp_path / "clip.mp4", 2).rename(tmp_path / "a.jpg")
    assert video.decoder_for(tmp_path / "a.jpg") == "pyav"
    GREYS[0].save(tmp_path / "a.mjpg", "JPEG")
    assert video.decoder_for(tmp_path / "a.mjpg") == "pyav"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"clip,label\n", "text"),
        ("näher".encode()[:3], "text"),
        (b"\xe9\x00\x01\x02", None),
        (b"", None),
        (b"PK\x03\x04", "other"),
        (b"PAR1", "table"),
        (b"BM is a text", "text"),
        (b"P5 24 32", "picture"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", "video"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "picture"),
        (b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00avifmiaf", "picture"),
    ],
)
def test_kinds_by_first_bytes(data, kind):
    assert kind_of_bytes(data) == kind


def test_pipes_are_not_opened(tmp_path):
    os.mkfifo(tmp_path / "x")
    for use in (kind_by_content, kind_of):
        with pytest.raises(MediaError, match="is a pipe, expected a file") as caught:
            use(tmp_path / "x")
        assert caught.value.reason == "not_a_file"
    assert video.decoder_for(tmp_path / "x") == "pyav"
