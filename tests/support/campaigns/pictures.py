"""Picture files of many formats, and files that claim more than they hold."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.support.campaigns.cases import Case
from tests.support.campaigns.moving_faces import face_pictures
from tests.support.campaigns.mutations import mutated

BOMB_PX = 20_000
"""Side that small files claim; decoded they would take a gigabyte and more."""


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


def make_seeds() -> dict[str, bytes]:
    """Pictures of a face; name to bytes."""
    import pillow_heif

    face = Image.fromarray(next(iter(face_pictures(3, 1))))
    frames = [Image.fromarray(picture) for picture in face_pictures(4, 3)]
    deep = Image.fromarray(np.asarray(face.convert("L")).astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112] = 6
    heic = io.BytesIO()
    pillow_heif.from_pillow(face).save(heic, quality=60)
    return {
        "plain.jpg": _saved(face, "JPEG", quality=85),
        "progressive.jpeg": _saved(face, "JPEG", progressive=True),
        "turned.jpg": _saved(face, "JPEG", exif=exif),
        "gray.jpg": _saved(face.convert("L"), "JPEG"),
        "cmyk.jpg": _saved(face.convert("CMYK"), "JPEG"),
        "name.jfif": _saved(face, "JPEG"),
        "plain.png": _saved(face, "PNG"),
        "deep.png": _saved(deep, "PNG"),
        "bits.png": _saved(face.convert("1"), "PNG"),
        "palette.png": _saved(face.convert("P"), "PNG"),
        "clear.png": _saved(face.convert("RGBA"), "PNG"),
        "moving.png": _saved(frames[0], "PNG", save_all=True, append_images=frames[1:]),
        "lossy.webp": _saved(face, "WEBP"),
        "exact.webp": _saved(face, "WEBP", lossless=True),
        "moving.webp": _saved(frames[0], "WEBP", save_all=True, append_images=frames[1:]),
        "plain.tif": _saved(face, "TIFF"),
        "packed.tiff": _saved(face, "TIFF", compression="tiff_lzw"),
        "deep.tif": _saved(deep, "TIFF"),
        "real.tif": _saved(Image.fromarray(np.asarray(face.convert("L")).astype(np.float32) / 255), "TIFF"),
        "plain.gif": _saved(face, "GIF"),
        "moving.gif": _saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=40),
        "plain.bmp": _saved(face, "BMP"),
        "plain.ppm": _saved(face, "PPM"),
        "plain.avif": _saved(face, "AVIF", quality=60, max_threads=1),
        "plain.heic": heic.getvalue(),
        "plain.jp2": _saved(face, "JPEG2000"),
    }


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(width: int, height: int, depth: int, colour: int, rows: bytes, *before: bytes) -> bytes:
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(before) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _zeros(length: int) -> bytes:
    packer = zlib.compressobj(9)
    block = bytes(1 << 20)
    parts = [
        packer.compress(block[: min(len(block), length - begin)]) for begin in range(0, length, len(block))
    ]
    return b"".join([*parts, packer.flush()])


def _png_bits(seeds: Mapping[str, bytes]) -> tuple[str, bytes]:
    """One bit per pixel: a hundred kilobytes that become a gigabyte as colours."""
    row = (BOMB_PX + 7) // 8 + 1
    return ".png", _png(BOMB_PX, BOMB_PX, 1, 0, _zeros(row * BOMB_PX))


def _png_claim(seeds: Mapping[str, bytes]) -> tuple[str, bytes]:
    return ".png", _png(2**31 - 1, 2**31 - 1, 8, 2, zlib.compress(b""))


def _png_text(seeds: Mapping[str, bytes]) -> tuple[str, bytes]:
    """Compressed text beside the picture, 200 MB of it."""
    text = _chunk(b"zTXt", b"Comment\0\0" + _zeros(200 << 20))
    return ".png", _png(8, 8, 8, 0, zlib.compress(bytes(9 * 8)), text)


def _png_profile(seeds: Mapping[str, bytes]) -> tuple[str, bytes]:
    profile = _chunk(b"iCCP", b"x\0\0" + _zeros(200 << 20))
    return ".png", _png(8, 8, 8, 0, zlib.compress(bytes(9 * 8)), profile)


def _jpeg_of(side: int) -> Callable[[Mapping[str, bytes]], tuple[str, bytes]]:
    """A JPEG file whose header claims another size."""

    def write(seeds: Mapping[str, bytes]) -> tuple[str, bytes]:
        data = bytearray(seeds["plain.jpg"])
        position = data.index(b"\xff\xc0") + 5
        data[position : position + 4] = struct.pack(">HH", side, side)
        return ".jpg", bytes(data)

    return write


def _gif_screen(seeds: Mapping[str, bytes]) -> tuple[str, bytes]:
    data = bytearray(seeds["plain.gif"])
    data[6:10] = struct.pack("<HH", 65535, 65535)
    return ".gif", bytes(data)


def _bmp_claim(seeds: Mapping[str, bytes]) -> tuple[str, bytes]:
    data = bytearray(seeds["plain.bmp"])
    data[18:26] = struct.pack("<ii", 2**31 - 1, -(2**31))
    return ".bmp", bytes(data)


def _tiff_loop(seeds: Mapping[str, bytes]) -> tuple[str, bytes]:
    """A directory whose next directory is itself."""
    entries = [(256, 3, 1, 8), (257, 3, 1, 8), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    entries += [(273, 4, 1, 8 + 2 + 12 * 7 + 4), (279, 4, 1, 64)]
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return ".tif", struct.pack("<2sHI", b"II", 42, 8) + body + struct.pack("<I", 8) + bytes(64)


def _tiff_claim(seeds: Mapping[str, bytes]) -> tuple[str, bytes]:
    entries = [(256, 4, 1, 60000), (257, 4, 1, 60000), (258, 3, 1, 8), (259, 3, 1, 5), (262, 3, 1, 1)]
    entries += [(273, 4, 1, 8), (278, 4, 1, 60000), (279, 4, 1, 64)]
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return ".tif", struct.pack("<2sHI", b"II", 42, 8) + body + struct.pack("<I", 0) + bytes(64)


def _webp_canvas(seeds: Mapping[str, bytes]) -> tuple[str, bytes]:
    data = bytearray(seeds["moving.webp"])
    position = data.index(b"VP8X") + 12
    data[position : position + 6] = b"\xff\x3f\x00\xff\x3f\x00"
    return ".webp", bytes(data)


def _box_claim(name: str) -> Callable[[Mapping[str, bytes]], tuple[str, bytes]]:
    """An AVIF or HEIC file whose property of size lies."""

    def write(seeds: Mapping[str, bytes]) -> tuple[str, bytes]:
        data = bytearray(seeds[name])
        position = data.index(b"ispe") + 8
        data[position : position + 8] = struct.pack(">II", 2**31 - 1, 2**16)
        return Path(name).suffix, bytes(data)

    return write


def _ppm_claim(seeds: Mapping[str, bytes]) -> tuple[str, bytes]:
    return ".ppm", b"P6\n999999999 999999999\n255\n" + bytes(100)


def _gif_frames(seeds: Mapping[str, bytes]) -> tuple[str, bytes]:
    """Twenty thousand frames."""
    data = seeds["moving.gif"]
    begin = data.rindex(b"\x21\xf9")
    return ".gif", data[:begin] + data[begin:-1] * (20_000_000 // len(data[begin:-1])) + b";"


def _svg(seeds: Mapping[str, bytes]) -> tuple[str, bytes]:
    return ".png", b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>"


def _other_name(seeds: Mapping[str, bytes]) -> tuple[str, bytes]:
    return ".jpg", seeds["plain.heic"]


def _turned_nine(seeds: Mapping[str, bytes]) -> tuple[str, bytes]:
    exif = Image.Exif()
    exif[0x0112] = 9
    return ".jpg", _saved(Image.new("RGB", (64, 64)), "JPEG", exif=exif)


def _one_pixel(seeds: Mapping[str, bytes]) -> tuple[str, bytes]:
    return ".png", _saved(Image.new("RGB", (1, 1)), "PNG")


def _ribbon(seeds: Mapping[str, bytes]) -> tuple[str, bytes]:
    return ".png", _saved(Image.new("L", (60_000, 1)), "PNG")


BOMBS: Mapping[str, Callable[[Mapping[str, bytes]], tuple[str, bytes]]] = {
    "png_bits": _png_bits,
    "png_claim": _png_claim,
    "png_text": _png_text,
    "png_profile": _png_profile,
    "jpeg_20000": _jpeg_of(20_000),
    "jpeg_65535": _jpeg_of(65_535),
    "jpeg_7000": _jpeg_of(7_000),
    "jpeg_0": _jpeg_of(0),
    "gif_screen": _gif_screen,
    "gif_frames": _gif_frames,
    "bmp_claim": _bmp_claim,
    "tiff_loop": _tiff_loop,
    "tiff_claim": _tiff_claim,
    "webp_canvas": _webp_canvas,
    "avif_claim": _box_claim("plain.avif"),
    "heic_claim": _box_claim("plain.heic"),
    "ppm_claim": _ppm_claim,
    "svg": _svg,
    "other_name": _other_name,
    "turned_nine": _turned_nine,
    "one_pixel": _one_pixel,
    "ribbon": _ribbon,
}
"""Files made to be too much; every fourth case is one of them."""

BOMB_EVERY = 4


def write_case(case: Case, folder: Path, seeds: Mapping[str, bytes]) -> str:
    """Write the file of a case, named :attr:`Case.name` with a suffix; returns how it was made."""
    rng: random.Random = case.random()
    turn, position = divmod(case.number, BOMB_EVERY)
    if position == BOMB_EVERY - 1 and turn < len(BOMBS):
        name = sorted(BOMBS)[turn]
        suffix, data = BOMBS[name](seeds)
        how = name
    else:
        name = rng.choice(sorted(seeds))
        how, data = mutated(seeds[name], rng, [seeds[other] for other in sorted(seeds)])
        suffix, how = Path(name if rng.random() < 0.9 else rng.choice(sorted(seeds))).suffix, f"{name} {how}"
    (folder / f"{case.name}{suffix}").write_bytes(data)
    return how
