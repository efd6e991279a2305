"""Files that break off, told from their outermost structure; hand-made bytes."""

import pytest

from fgbench.media.decoders._truncation import missing_bytes


def box(kind, content, length=None):
    return (8 + len(content) if length is None else length).to_bytes(4, "big") + kind + content


FTYP = box(b"ftyp", b"isom" + bytes(4))
EBML = bytes.fromhex("1a45dfa3") + b"\x84" + b"abcd"
SEGMENT = bytes.fromhex("18538067")
RIFF = b"RIFF" + (100).to_bytes(4, "little") + b"AVI "


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (FTYP + box(b"mdat", bytes(100)), 0),
        (FTYP + box(b"mdat", bytes(100))[:-30], 30),
        (FTYP + box(b"moov", bytes(20)) + box(b"mdat", bytes(50))[:10], 48),
        (FTYP + box(b"mdat", bytes(100), length=0), 0),  # to the end of the file
        (FTYP + box(b"mdat", (5_000_000_016).to_bytes(8, "big") + bytes(16), length=1), 4_999_999_984),
        (FTYP + box(b"mdat", bytes(10)) + b"rubbish at the end", 0),
        (FTYP + box(b"free", b"", length=4), 0),  # not a possible length
        (FTYP[:-3], 3),
        (EBML + SEGMENT + b"\x88" + bytes(8), 0),
        (EBML + SEGMENT + b"\x88" + bytes(5), 3),
        (EBML + SEGMENT + b"\x41\x00" + bytes(6), 250),
        (EBML + SEGMENT + b"\xff" + bytes(6), 0),  # size not known: a live recording
        (EBML + SEGMENT + b"\x01" + b"\xff" * 7 + bytes(6), 0),
        (EBML + b"\xec\x81\x00", 0),
        (RIFF + bytes(96), 0),
        (RIFF + bytes(40), 56),
        (RIFF + bytes(96) + RIFF + bytes(90), 6),  # a second chunk, as in files over 1 GB
        (RIFF[:4] + bytes(4) + b"AVI " + bytes(20), 0),  # length never filled in
        (b"clip,label\n", 0),
        (b"", 0),
    ],
)
def test_missing_bytes(tmp_path, data, expected):
    path = tmp_path / "file"
    path.write_bytes(data)
    assert missing_bytes(path) == expected
