"""Damage to bytes: what disks, networks, interrupted copies and ill will do to a file."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

Mutation = Callable[[bytes, random.Random, Sequence[bytes]], bytes]
"""Data, generator, other files of the same kind -> damaged data."""

BOXES = (
    b"moov",
    b"mvhd",
    b"tkhd",
    b"mdhd",
    b"stsd",
    b"stsz",
    b"stts",
    b"ctts",
    b"stsc",
    b"stco",
    b"elst",
    b"avcC",
)
WORDS = (0, 1, 2**31 - 1, 2**31, 2**32 - 1, 0xFFFF, 0x00010000, 0x7FFF7FFF)


def flip_bits(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """One to sixteen bits anywhere."""
    damaged = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def flip_head(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """Bytes of the first two hundred, where formats say what they are."""
    damaged = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        damaged[rng.randrange(min(200, len(damaged)))] = rng.randrange(256)
    return bytes(damaged)


def sprinkle(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """One byte in a hundred."""
    damaged = bytearray(data)
    for _ in range(len(damaged) // 100 + 1):
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    return bytes(damaged)


def overwrite(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """A run of zeros, ones or noise."""
    begin, length = rng.randrange(len(data)), rng.randint(1, max(1, len(data) // 4))
    length = min(length, len(data) - begin)
    fill = rng.choice((bytes(length), b"\xff" * length, rng.randbytes(length)))
    return data[:begin] + fill + data[begin + length :]


def cut_end(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """The first part of a file, as an interrupted copy leaves it."""
    return data[: rng.choice((0, 1, 16, rng.randrange(len(data)), rng.randrange(len(data)), len(data) - 1))]


def cut_start(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """Without its first bytes."""
    return data[rng.randrange(1, max(2, len(data) // 2)) :]


def take_out(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """A piece is missing."""
    begin = rng.randrange(len(data))
    return data[:begin] + data[begin + rng.randint(1, max(1, len(data) // 5)) :]


def repeat(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """A piece is there twice."""
    begin = rng.randrange(len(data))
    end = min(len(data), begin + rng.randint(1, max(1, len(data) // 3)))
    return data[:end] + data[begin:]


def put_in(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """Noise between the bytes."""
    position = rng.randrange(len(data))
    return data[:position] + rng.randbytes(rng.randint(1, 300)) + data[position:]


def splice(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """The head of one file and the rest of another."""
    other = rng.choice(others)
    return data[: rng.randrange(len(data))] + other[rng.randrange(len(other)) :]


def append(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """Another file behind it."""
    return data + rng.choice(others)


def lie_in_head(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """A number of the header, in either order of bytes, is the least or greatest."""
    damaged = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        size = rng.choice((2, 4, 8))
        position = rng.randrange(max(1, min(400, len(damaged)) - size))
        value = rng.choice(WORDS) % (1 << (8 * size))
        damaged[position : position + size] = value.to_bytes(size, rng.choice(("big", "little")))
    return bytes(damaged)


def lie_in_box(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """A length or a count in a box of an MP4 file is the least or greatest."""
    positions = [start for name in BOXES if (start := data.find(name)) > 4]
    if not positions:
        return lie_in_head(data, rng, others)
    damaged = bytearray(data)
    start = rng.choice(positions) + rng.choice((-4, 4, 8, 12, 16, 20))
    damaged[start : start + 4] = rng.choice(WORDS).to_bytes(4, "big")
    return bytes(damaged)


def change_lines(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """Ends of lines of text: all in another way, or zeros in their place."""
    return data.replace(b"\n", rng.choice((b"\r", b"\r\n", b"\0", b"\n\n")))


ANY: Mapping[str, Mutation] = {
    mutation.__name__: mutation
    for mutation in (
        flip_bits,
        flip_head,
        sprinkle,
        overwrite,
        cut_end,
        cut_start,
        take_out,
        repeat,
        put_in,
        splice,
        append,
        lie_in_head,
        lie_in_box,
    )
}
"""Damage to files of any format."""


def mutated(
    data: bytes, rng: random.Random, others: Sequence[bytes], choice: Mapping[str, Mutation] = ANY
) -> tuple[str, bytes]:
    """Damage data in one to three ways; returns their names too."""
    names = [rng.choice(sorted(choice)) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
    for name in names:
        if data:
            data = choice[name](data, rng, others)
    return "+".join(names), data
