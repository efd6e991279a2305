"""Sizes are told by headers, before anything is decoded; what is above the limit is refused."""

import io
import subprocess
import sys
import zlib

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from fgbench.errors import MediaError
from fgbench.media.images import read_image
from fgbench.media.picture_headers import MAX_SIDE_PX, check_header, opened_picture

FLAT = Image.fromarray(np.full((30, 40, 3), 128, np.uint8))


def jpeg_that_claims(width, height):
    """A small JPEG whose header names another size."""
    file = io.BytesIO()
    FLAT.save(file, "JPEG")
    data = bytearray(file.getvalue())
    start = data.find(b"\xff\xc0")
    data[start + 5 : start + 9] = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return bytes(data)


def png_that_claims(width, height):
    """A PNG of one bit a pixel whose data are a few bytes."""

    def chunk(name, data):
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([1, 0, 0, 0, 0])
    data = chunk(b"IDAT", zlib.compress(bytes(1 << 16)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


def refusal(path, **kwargs):
    with pytest.raises(MediaError) as caught:
        read_image(path, **kwargs)
    return caught.value.reason, caught.value.message


@pytest.mark.parametrize("make", [jpeg_that_claims, png_that_claims])
def test_bombs_are_refused_by_their_header(tmp_path, make):
    path = tmp_path / "a.jpg"
    path.write_bytes(make(20000, 20000))
    reason, message = refusal(path)
    assert reason == "too_large"
    assert "20000 x 20000 px, 400.0 million; the limit is 64.0 million (ingest.max_picture_px)" in message


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_bombs_take_no_memory(tmp_path):
    paths = [tmp_path / "a.jpg", tmp_path / "b.png"]
    paths[0].write_bytes(jpeg_that_claims(20000, 20000))
    paths[1].write_bytes(png_that_claims(30000, 30000))
    program = (
        "import sys; from pathlib import Path; from fgbench.media.images import read_image\n"
        "from fgbench.errors import MediaError\n"
        "for name in sys.argv[1:]:\n"
        "    try: read_image(Path(name))\n"
        "    except MediaError as error: print(error.reason)\n"
        "status = Path('/proc/self/status').read_text()\n"
        "print(status.partition('VmHWM:')[2].split()[0])\n"
    )
    command = [sys.executable, "-c", program, *map(str, paths)]
    words = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert words[:2] == ["too_large", "too_large"]
    assert int(words[2]) < 200_000  # kB, of which libraries are about 80,000


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "bmp", "tiff", "webp", "ppm", "jp2", "tga", "avif"])
def test_every_format_keeps_the_limit(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    FLAT.save(path)
    assert refusal(path, max_px=1199)[0] == "too_large"
    assert read_image(path, max_px=1200).shape == (30, 40, 3)
    check_header(path, max_px=1200)
    with pytest.raises(MediaError, match="the limit is 0"):
        check_header(path, max_px=1199)


def test_heif_keeps_the_limit(tmp_path):
    path = tmp_path / "a.heic"
    pillow_heif.from_pillow(FLAT.resize((80, 64))).save(path)
    assert refusal(path, max_px=5119)[0] == "too_large"
    assert read_image(path, max_px=5120).shape == (64, 80, 3)


def test_sides_have_a_limit_too(tmp_path):
    path = tmp_path / "a.png"
    Image.new("L", (MAX_SIDE_PX, 1)).save(path)
    assert read_image(path).shape == (1, MAX_SIDE_PX, 3)
    Image.new("L", (1, MAX_SIDE_PX + 1)).save(path)
    reason, message = refusal(path)
    assert reason == "too_large"
    assert "the limit of a side is 32766 px" in message


@pytest.mark.filterwarnings("error")
def test_the_limit_of_the_recipe_is_the_only_one(tmp_path):
    """Pillow's own would warn above 89 and raise above 179 million pixels."""
    before = Image.MAX_IMAGE_PIXELS
    for size in (10000, 15000):
        with opened_picture(io.BytesIO(jpeg_that_claims(size, size)), "a.jpg", max_px=10**9) as actual:
            assert actual.size == (size, size)
    assert before == Image.MAX_IMAGE_PIXELS


@pytest.mark.slow
def test_files_larger_than_their_pixels_can_be_are_not_read(tmp_path):
    path = tmp_path / "a.bmp"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert refusal(path)[0] == "too_large"


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_high_dynamic_range_is_refused(tmp_path, transfer, name):
    path = tmp_path / "a.heic"
    image = pillow_heif.from_pillow(FLAT.resize((80, 64)))
    image.save(path, transfer_characteristics=transfer, color_primaries=9, matrix_coefficients=9)
    reason, message = refusal(path)
    assert reason == "unsupported_colours"
    assert name in message


@pytest.mark.slow
def test_importing_changes_nothing_in_pillow():
    program = (
        "from PIL import Image; before = Image.MAX_IMAGE_PIXELS\n"
        "import fgbench.media.images, fgbench.media.picture_headers, fgbench.media.decoders.pictures\n"
        "assert Image.MAX_IMAGE_PIXELS == before and 'HEIF' not in Image.OPEN\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
