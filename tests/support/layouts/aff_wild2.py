"""Fake files of Aff-Wild2 in the layout of its owners."""

from fgbench.datasets.aff_wild2 import UNITS
from tests.support.fake_trees import write_picture, write_text

HEAD = ",".join(f"AU{unit}" for unit in UNITS)
PARTS = {"Train_Set": 10, "Validation_Set": 3}


def codes(number):
    """AU 1 is present in even frames, AU 26 not labelled, the others are absent."""
    return ",".join("-1" if unit == 26 else str(1 - number % 2) if unit == 1 else "0" for unit in UNITS)


def write_aff(root, *, crops="cropped_aligned", wrapped="6th_ABAW_Annotations"):
    """Videos of frames 1 to 4, of which the third has no picture."""
    for part, n_videos in PARTS.items():
        for video in range(n_videos):
            name = f"{part[0].lower()}{video}"
            lines = [HEAD, *map(codes, range(1, 5))]
            folder = root / wrapped / "AU_Detection_Challenge" / part
            write_text(folder / f"{name}.txt", "\n".join(lines) + "\n")
            for number in (1, 2, 4):
                write_picture(root / crops / name / f"{number:05d}.jpg", size=(112, 112))
    return root
