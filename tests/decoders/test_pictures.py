"""Pixels: luma as stored, regions as in the whole picture, colours after the file's matrix, upright."""

import av
import numpy as np
import pytest

from fgbench.errors import MediaError
from fgbench.media.video import open_video
from tests.support import video_files as vf
from tests.support.trap_clips import plain_decode

FORMATS = [
    "plain.mp4",
    "yuv422.mp4",
    "yuv444_odd.mp4",
    "yuv420_odd.avi",
    "ten_bits.mp4",
    "rgb.mp4",
    "interlaced.mp4",
]

# FFmpeg's number of a colour matrix, and its weights of red and blue.
MATRICES = [(1, 0.2126, 0.0722), (5, 0.299, 0.114), (6, 0.299, 0.114), (9, 0.2627, 0.0593)]
NOT_STATED = 2
LIMITED, FULL = 1, 2


def first_frame(path, decoder="pyav"):
    with open_video(path, decoder) as reader:
        return next(reader.frames([0]))


def boxes(width, height, n=40):
    """Boxes with odd corners anywhere, single pixels and the borders."""
    rng = np.random.default_rng(width)
    yield from [(0, 0, width, height), (0, 0, 1, 1), (width - 1, height - 1, width, height)]
    yield from [(0, 5, width, 6), (7, 0, 8, height)]
    for _ in range(n):
        x0, x1 = sorted(rng.choice(width + 1, size=2, replace=False).tolist())
        y0, y1 = sorted(rng.choice(height + 1, size=2, replace=False).tolist())
        yield x0, y0, x1, y1


def stored_luma(path):
    """Luma plane of the first frame, by PyAV alone."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    dtype = np.uint16 if "10" in frame.format.name else np.uint8
    plane = np.frombuffer(frame.planes[0], dtype).reshape(frame.height, -1)
    return plane[:, : frame.width].astype(int)


@pytest.mark.parametrize("name", ["plain.mp4", "yuv422.mp4", "yuv444_odd.mp4", "mjpeg.avi"])
def test_gray_is_the_stored_luma(clips, name):
    gray = first_frame(clips[name]).gray()
    assert gray.dtype == np.uint8
    assert np.array_equal(gray, stored_luma(clips[name]))


@pytest.mark.parametrize("name", FORMATS)
def test_gray_has_no_gaps_between_its_rows(clips, name):
    """dlib reads the memory as if there were none, and finds no faces then."""
    assert first_frame(clips[name]).gray().flags.c_contiguous


def test_gray_without_a_copy_cannot_be_written_to(tmp_path):
    """Later frames are predicted from these bytes."""
    path = vf.write_clip(tmp_path / "wide.mp4", 2, size=(256, 128))
    with pytest.raises(ValueError, match="read-only"):
        first_frame(path).gray()[:] = 0


def test_gray_outlives_the_reader(clips):
    with open_video(clips["plain.mp4"]) as reader:
        frames = list(reader.frames(range(20)))
    assert [vf.read_number(frame.gray()) for frame in frames] == list(range(20))


def test_gray_of_ten_bits_is_rounded_to_eight(clips):
    expected = np.clip((stored_luma(clips["ten_bits.mp4"]) + 2) // 4, 0, 255)
    assert np.array_equal(first_frame(clips["ten_bits.mp4"]).gray(), expected)


def test_gray_of_rgb_is_its_bt601_luma(clips):
    frame = first_frame(clips["rgb.mp4"])
    assert np.abs(frame.gray() - frame.rgb() @ [0.299, 0.587, 0.114]).max() <= 1


@pytest.mark.parametrize("name", FORMATS)
def test_region_has_exactly_the_pixels_of_the_whole_picture(clips, name):
    whole = plain_decode(clips[name])[0]
    frame = first_frame(clips[name])
    assert frame.size == whole.shape[1::-1]
    for x0, y0, x1, y1 in boxes(*frame.size):
        region = frame.rgb((x0, y0, x1, y1))
        assert region.flags.c_contiguous
        assert region.dtype == np.uint8
        assert np.array_equal(region, whole[y0:y1, x0:x1])


def test_regions_of_noise_are_exact(tmp_path):
    """Every pixel differs from its neighbours, in a width that is no multiple of a vector's."""
    noise = np.random.default_rng(3).integers(0, 256, size=(118, 202, 3), dtype=np.uint8)
    path = vf.write_clip(tmp_path / "noise.mp4", size=(202, 118), pictures=[noise])
    whole = plain_decode(path)[0]
    frame = first_frame(path)
    for x0, y0, x1, y1 in boxes(202, 118, n=120):
        assert np.array_equal(frame.rgb((x0, y0, x1, y1)), whole[y0:y1, x0:x1])


@pytest.mark.parametrize("decoder", ["pyav", "decord"])
def test_box_outside_the_frame_is_refused(clips, decoder):
    frame = first_frame(clips["plain.mp4"], decoder)
    for box in [(0, 0, 161, 10), (-1, 0, 10, 10), (5, 5, 5, 9), (0, 0, 10, 121)]:
        with pytest.raises(ValueError, match="not inside the frame of 160 x 120 px"):
            frame.rgb(box)


@pytest.fixture(scope="module")
def samples():
    """Y, U and V of 4:4:4 pixels whose RGB does not have to be clipped."""
    rng = np.random.default_rng(5)
    y = rng.integers(70, 180, size=(48, 64), dtype=np.uint8)
    return y, *(rng.integers(112, 145, size=(48, 64), dtype=np.uint8) for _ in range(2))


@pytest.mark.parametrize("range_", [LIMITED, FULL])
@pytest.mark.parametrize(("matrix", "kr", "kb"), MATRICES)
def test_colours_follow_the_matrix_and_range_of_the_file(tmp_path, samples, matrix, kr, kb, range_):
    path = vf.write_planes(
        tmp_path / "c.mp4", samples, pixel_format="yuv444p", matrix=matrix, colour_range=range_
    )
    expected = vf.to_rgb_reference(samples, kr=kr, kb=kb, full_range=range_ == FULL)
    frame = first_frame(path)
    assert np.array_equal(frame.gray(), samples[0])
    assert np.abs(frame.rgb().astype(int) - expected).max() <= 1
    assert np.array_equal(frame.rgb((8, 9, 40, 31)), frame.rgb()[9:31, 8:40])
    other = first_frame(path, "decord")
    assert np.array_equal(other.rgb(), frame.rgb())
    assert np.abs(other.gray().astype(int) - samples[0]).max() <= 2


@pytest.mark.parametrize("size", [(64, 48), (1280, 720)])
def test_colours_of_files_that_do_not_say_are_bt601_with_limited_range(tmp_path, size):
    """Whatever the size: players take BT.709 for high definition, swscale does not."""
    width, height = size
    planes = [np.full((height, width), value, np.uint8) for value in (120, 90, 170)]
    path = vf.write_planes(
        tmp_path / "c.mp4", planes, pixel_format="yuv444p", matrix=NOT_STATED, colour_range=0
    )
    expected = vf.to_rgb_reference([plane[:1, :1] for plane in planes], kr=0.299, kb=0.114, full_range=False)
    assert np.abs(first_frame(path).rgb((0, 0, 8, 8)).astype(int) - expected).max() <= 1


def test_yuvj_has_full_range(clips):
    gray = first_frame(clips["mjpeg.avi"]).gray()
    rgb = first_frame(clips["mjpeg.avi"]).rgb().astype(float)
    assert np.abs(rgb @ [0.299, 0.587, 0.114] - gray).max() <= 3


TURNS = {
    "clockwise 90": (vf.CLOCKWISE_90, 90, False),
    "clockwise 180": (vf.CLOCKWISE_180, 180, False),
    "clockwise 270": (vf.CLOCKWISE_270, 270, False),
    "mirrored": (vf.MIRRORED, 0, True),
    "flipped": (vf.FLIPPED, 180, True),
    "transposed": (vf.TRANSPOSED, 270, True),
    "transversed": (vf.TRANSVERSED, 90, True),
}


@pytest.fixture(scope="module", params=TURNS)
def turned(request, tmp_path_factory):
    """A clip that has to be turned to be upright: its path, rotation and mirroring."""
    matrix, rotation_deg, mirrored = TURNS[request.param]
    folder = tmp_path_factory.mktemp("turned")
    stored = [vf.stored_from_upright(vf.picture(number), matrix) for number in range(12)]
    size = stored[0].shape[1::-1]
    plain = vf.write_clip(folder / "stored.mp4", pictures=stored, size=size)
    return vf.set_display_matrix(plain, folder / "turned.mp4", matrix), rotation_deg, mirrored


def test_pictures_are_upright(turned):
    path, rotation_deg, mirrored = turned
    with open_video(path) as reader:
        assert (reader.info.rotation_deg, reader.info.mirrored) == (rotation_deg, mirrored)
        assert (reader.info.width, reader.info.height) == vf.SIZE
        for frame in reader.frames():
            upright = vf.picture(frame.index)
            assert frame.size == vf.SIZE
            assert vf.read_number(frame.gray()) == vf.read_number(frame.rgb()) == frame.index
            assert np.abs(frame.rgb().astype(int) - upright).mean() < 6  # coding noise


def test_regions_of_turned_pictures_are_exact(turned):
    frame = first_frame(turned[0])
    whole = frame.rgb()
    for x0, y0, x1, y1 in boxes(*vf.SIZE):
        assert np.array_equal(frame.rgb((x0, y0, x1, y1)), whole[y0:y1, x0:x1])


def test_decord_turns_as_pyav_does_or_refuses(turned):
    path, _, mirrored = turned
    if mirrored:
        with pytest.raises(MediaError, match="stored mirrored"):
            open_video(path, "decord")
    else:
        assert np.array_equal(first_frame(path, "decord").rgb(), first_frame(path).rgb())


def test_sign_of_the_rotation_is_that_of_ffmpeg(tmp_path):
    """FFmpeg states the same angle counter-clockwise."""
    path = vf.set_display_matrix(vf.write_clip(tmp_path / "a.mp4", 2), tmp_path / "b.mp4", vf.CLOCKWISE_90)
    with av.open(str(path)) as container:
        assert next(container.decode(video=0)).rotation == -90
    with open_video(path) as reader:
        assert reader.info.rotation_deg == 90


def test_other_angles_are_refused(tmp_path):
    path = vf.set_display_matrix(
        vf.write_clip(tmp_path / "a.mp4", 2), tmp_path / "b.mp4", (0.866, 0.5, -0.5, 0.866)
    )
    for use in (lambda reader: reader.info, lambda reader: list(reader.frames([0]))):
        with pytest.raises(MediaError, match="not a rotation by a multiple of 90 degrees") as caught:
            use(open_video(path))
        assert caught.value.reason == "unsupported_rotation"
