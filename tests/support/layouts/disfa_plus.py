"""Fake files of DISFA+ in the layout of its owners."""

from fgbench.datasets.disfa_plus import UNITS
from tests.support.fake_trees import write_picture, write_text

SUBJECTS = ("SN001", "SN003", "SN004", "SN007", "SN009", "SN010")
TRIALS = ("A1_AU1_TrailNo_1", "Y_HappyDescribed_TrailNo_1")
HEAD = "Intensity of AU\nframe      value\n"


def write_disfa_plus(root, subjects=SUBJECTS, *, n_frames=4):
    """The intensity of AU 12 is the number of the picture, all others are 1."""
    for subject in subjects:
        for trial in TRIALS:
            for number in range(n_frames):
                write_picture(root / "Images" / subject / trial / f"{number:03d}.jpg")
            for unit in UNITS:
                lines = [f"{n:03d}.jpg     {n if unit == 12 else 1}" for n in range(n_frames)]
                write_text(
                    root / "Labels" / subject / trial / f"AU{unit}.txt", HEAD + "\n".join(lines) + "\n"
                )
    return root
