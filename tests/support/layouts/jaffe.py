"""Fake files of JAFFE in the layout of its owners."""

from tests.support.fake_trees import write_picture, write_text

SUBJECTS = ["KA", "KL", "KM", "KR", "MK", "NA", "NM", "TM", "UY", "YM"]
CODES = ["AN", "DI", "FE", "HA", "NE", "SA", "SU"]


def write_jaffe(root, *, suffix="tiff"):
    number = 0
    for subject in SUBJECTS:
        for code in CODES:
            number += 1
            write_picture(root / f"{subject}.{code}1.{number}.{suffix}", code, size=(64, 64))
    write_text(root / "README", "about\n")
    (root / ".DS_Store").write_bytes(b"x")
    return root
