"""Still pictures and folders of pictures in the place of videos."""

import os

import cv2
import numpy as np
import pytest
from PIL import Image

from fgbench.errors import MediaError
from fgbench.media import video
from fgbench.media.picture_files import natural_key, picture_names
from tests.support.fake_trees import pixels, write_picture, write_pictures


def test_which_decoder_reads_what(tmp_path):
    write_picture(tmp_path / "a" / "1.PNG")
    (tmp_path / "t.csv").write_text("x")
    (tmp_path / "d.csv").mkdir()
    assert video.decoder_for(tmp_path / "a") == "pictures"
    assert video.decoder_for(tmp_path / "a" / "1.PNG") == "pictures"
    assert video.decoder_for(tmp_path / "t.csv" / "4") == "pixel_rows"
    assert video.decoder_for(tmp_path / "d.csv" / "4", "decord") == "decord"
    assert video.decoder_for(tmp_path / "absent.mp4") == "pyav"


def test_frames_come_in_natural_order(tmp_path):
    names = ["img10.png", "img2.png", "IMG1.png"]
    write_pictures(tmp_path, names)
    for other in (".DS_Store", "._img2.png", "Thumbs.db", "notes.txt"):
        (tmp_path / other).write_bytes(b"x")
    assert picture_names(tmp_path) == ["IMG1.png", "img2.png", "img10.png"]
    with video.open_video(tmp_path, "pictures") as reader:
        info = reader.info
        frames = list(reader.frames([0, 2, 7]))
    assert (info.container, info.codec, info.n_frames, info.fps) == ("folder", "png", 3, None)
    assert [frame.index for frame in frames] == [0, 2]
    last = "/".join((tmp_path / "img10.png").parts[-3:])
    assert np.array_equal(frames[1].rgb()[:, :, 0], pixels(last))


def test_names_with_leading_zeros_have_one_order():
    assert sorted(["1.png", "01.png", "001.png"], key=natural_key) == ["001.png", "01.png", "1.png"]


def test_a_picture_is_a_clip_of_one_frame(tmp_path):
    path = write_picture(tmp_path / "a.tiff", size=(40, 30))
    with video.open_video(path, "pictures") as reader:
        assert (reader.info.n_frames, reader.info.width, reader.info.height) == (1, 40, 30)
        (frame,) = reader.frames()
        assert frame.gray().shape == (30, 40)


def test_colours_are_rgb(tmp_path):
    red = np.zeros((8, 8, 3), np.uint8)
    red[:, :, 2] = 255
    cv2.imwrite(str(tmp_path / "red.png"), red)
    with video.open_video(tmp_path / "red.png", "pictures") as reader:
        (frame,) = reader.frames()
    assert frame.rgb()[0, 0].tolist() == [255, 0, 0]


def test_a_damaged_picture_of_a_folder_is_left_out(tmp_path):
    write_pictures(tmp_path, ["1.png", "2.png", "3.png"])
    (tmp_path / "2.png").write_bytes(b"")
    with video.open_video(tmp_path, "pictures") as reader:
        assert reader.info.n_frames == 3
        assert [frame.index for frame in reader.frames()] == [0, 2]


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "empty_file"), (b"no picture", "unreadable_image"), (None, "missing_file")]
)
def test_a_damaged_picture_is_refused(tmp_path, content, reason):
    path = tmp_path / "a.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MediaError) as error:
        video.open_video(path, "pictures")
    assert error.value.reason == reason


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(MediaError, match="has no pictures") as error:
        video.open_video(tmp_path, "pictures")
    assert error.value.reason == "no_frames"


def test_digest_of_a_folder_is_of_names_and_contents(tmp_path):
    write_pictures(tmp_path / "a", ["1.png", "2.png"])
    (tmp_path / "b").mkdir()
    for name in ("2.png", "1.png"):
        (tmp_path / "b" / name).write_bytes((tmp_path / "a" / name).read_bytes())
    (tmp_path / "b" / "notes.txt").write_text("x")
    first = video.media_digest(tmp_path / "a", "pictures")
    assert video.media_digest(tmp_path / "b", "pictures") == first
    (tmp_path / "b" / "2.png").rename(tmp_path / "b" / "3.png")
    assert video.media_digest(tmp_path / "b", "pictures") != first
    (tmp_path / "a" / "1.png").write_bytes(b"other")
    assert video.media_digest(tmp_path / "a", "pictures") != first


def test_a_second_iteration_ends_the_first(tmp_path):
    write_pictures(tmp_path, ["1.png", "2.png"])
    with video.open_video(tmp_path, "pictures") as reader:
        first = reader.frames()
        next(first)
        list(reader.frames())
        with pytest.raises(RuntimeError, match="another iteration"):
            next(first)


def refused(path, **kwargs):
    with pytest.raises(MediaError) as caught:
        video.open_video(path, "pictures", **kwargs)
    return caught.value.reason, caught.value.message


@pytest.mark.parametrize("position", ["1.png", "2.png"])
def test_a_pipe_among_the_pictures_of_a_folder_refuses_it(tmp_path, position):
    write_pictures(tmp_path, ["1.png", "2.png", "3.png"])
    (tmp_path / position).unlink()
    os.mkfifo(tmp_path / position)
    reason, message = refused(tmp_path)
    assert reason == "not_a_file"
    assert f"{position} is a pipe" in message
    with pytest.raises(OSError, match=f"{position} is a pipe"):
        video.media_digest(tmp_path, "pictures")


def test_a_device_or_a_broken_link_among_the_pictures_refuses_the_folder(tmp_path):
    write_pictures(tmp_path, ["1.png"])
    (tmp_path / "2.jpg").symlink_to("/dev/zero")
    assert refused(tmp_path)[0] == "not_a_file"
    (tmp_path / "2.jpg").unlink()
    (tmp_path / "2.jpg").symlink_to(tmp_path / "none.jpg")
    assert refused(tmp_path)[0] == "missing_file"


def test_a_pipe_that_is_named_as_a_picture_is_refused(tmp_path):
    os.mkfifo(tmp_path / "a.jpg")
    assert video.decoder_for(tmp_path / "a.jpg") == "pictures"
    assert refused(tmp_path / "a.jpg")[0] == "not_a_file"


def test_every_picture_of_a_folder_keeps_the_limit(tmp_path):
    write_pictures(tmp_path, ["1.png", "3.png"])
    write_picture(tmp_path / "2.png", size=(100, 30))
    limits = video.Limits(max_picture_px=48 * 48)
    reason, message = refused(tmp_path, limits=limits)
    assert reason == "too_large"
    assert "2.png is 100 x 30 px" in message
    with video.open_video(tmp_path, "pictures", limits=video.NO_LIMITS) as reader:
        assert [frame.size for frame in reader.frames()] == [(48, 48), (100, 30), (48, 48)]


def test_a_folder_takes_pictures_of_every_format(tmp_path):
    for number, suffix in enumerate(["jfif", "webp", "avif", "gif", "tga", "jp2"]):
        Image.new("RGB", (16, 16), (40 * number, 90, 90)).save(
            tmp_path / f"{number}.{suffix}", "JPEG" if suffix == "jfif" else None
        )
    with video.open_video(tmp_path, "pictures") as reader:
        levels = [int(frame.rgb()[0, 0, 0]) for frame in reader.frames()]
    assert np.allclose(levels, [0, 40, 80, 120, 160, 200], atol=4)
