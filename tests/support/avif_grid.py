"""AVIF pictures in tiles: no encoder at hand writes them, so the boxes of tiles are put together here."""

from __future__ import annotations

import io
import struct

from PIL import Image


def avif_grid(image: Image.Image, tile: int) -> bytes:
    """An AVIF file of a picture in square tiles (ISO 23008-12, section 6.6.2.3: derived image ``grid``).

    Args:
        image: RGB; its sides are multiples of ``tile``.
        tile: Side of a tile in px.
    """
    columns, rows = image.width // tile, image.height // tile
    files = [
        _encoded(image.crop((tile * x, tile * y, tile * (x + 1), tile * (y + 1))))
        for y in range(rows)
        for x in range(columns)
    ]
    tiles = range(2, 2 + len(files))
    config = _find(files[0], b"av1C")
    payloads = [_find(data, b"mdat")[8:] for data in files]
    grid = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, image.width, image.height)
    properties = (
        config
        + _full(b"ispe", struct.pack(">II", tile, tile))
        + _full(b"ispe", struct.pack(">II", image.width, image.height))
        + _full(b"pixi", bytes((3, 8, 8, 8)))
        + _box(b"colr", b"nclx" + struct.pack(">HHHB", 1, 13, 6, 0x80))
    )
    essential, plain = 0x80, 0x00
    shared = ((plain, 4), (plain, 5))
    uses = [(1, ((plain, 3), *shared)), *((n, ((essential, 1), (plain, 2), *shared)) for n in tiles)]
    associations = b"".join(
        struct.pack(">HB", item, len(own)) + bytes(flag | number for flag, number in own)
        for item, own in uses
    )
    entries = [(1, b"grid"), *((n, b"av01") for n in tiles)]
    infos = b"".join(
        _full(b"infe", struct.pack(">HH", n, 0) + kind + b"\0", version=2) for n, kind in entries
    )
    refers = _box(b"dimg", struct.pack(f">HH{len(files)}H", 1, len(files), *tiles))

    def meta(begin: int) -> bytes:
        positions, at = [(1, 1, 0, len(grid))], begin  # the grid lies in idat, tiles in the file
        for number, payload in zip(tiles, payloads, strict=True):
            positions.append((number, 0, at, len(payload)))
            at += len(payload)
        where = b"".join(
            struct.pack(">HHHHII", n, method, 0, 1, offset, size) for n, method, offset, size in positions
        )
        return _full(
            b"meta",
            _full(b"hdlr", b"\0\0\0\0pict" + b"\0" * 13)
            + _full(b"pitm", struct.pack(">H", 1))
            + _full(b"iloc", struct.pack(">BBH", 0x44, 0, len(positions)) + where, version=1)
            + _full(b"iinf", struct.pack(">H", len(entries)) + infos)
            + _full(b"iref", refers)
            + _box(
                b"iprp",
                _box(b"ipco", properties) + _full(b"ipma", struct.pack(">I", len(uses)) + associations),
            )
            + _box(b"idat", grid),
        )

    head = _box(b"ftyp", b"avif\0\0\0\0avifmif1miaf")
    begin = len(head) + len(meta(0)) + 8
    return head + meta(begin) + _box(b"mdat", b"".join(payloads))


def _encoded(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "AVIF", quality=90, subsampling="4:4:4")
    return out.getvalue()


def _box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", 8 + len(data)) + kind + data


def _full(kind: bytes, data: bytes, *, version: int = 0) -> bytes:
    return _box(kind, bytes((version, 0, 0, 0)) + data)


def _find(data: bytes, kind: bytes) -> bytes:
    """The first box of a kind, head and all."""
    position = data.index(kind) - 4
    (size,) = struct.unpack_from(">I", data, position)
    return data[position : position + size]
