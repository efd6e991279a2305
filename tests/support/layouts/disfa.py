"""Fake files of DISFA in the layout of its owners."""

import shutil

from tests.support.fake_trees import write_text
from tests.support.video_files import write_clip

SUBJECTS = ("SN001", "SN002", "SN004", "SN013", "SN032", "SN033")
UNITS = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)
N_FRAMES = 6
FOLDERS = {"Left": "Videos_LeftCamera", "Right": "Video_RightCamera"}


def write_disfa(root, subjects=SUBJECTS, cameras=("Left", "Right")):
    """Videos whose frames carry their number from 0, and intensities of frames 1 to 6.

    The intensity of AU 12 rises from 0 in frame 1 to 5 in frame 6, all others are 1.
    """
    for camera in cameras:
        first = None
        for subject in subjects:
            path = root / FOLDERS[camera] / f"{camera}Video{subject}_comp.avi"
            path.parent.mkdir(parents=True, exist_ok=True)
            if first is None:
                first = write_clip(path, N_FRAMES) or path
            else:
                shutil.copy(first, path)
    for subject in subjects:
        for unit in UNITS:
            lines = [f"{frame},{frame - 1 if unit == 12 else 1}" for frame in range(1, N_FRAMES + 1)]
            write_text(label_file(root, subject, unit), "\n".join(lines) + "\n")
    return root


def label_file(root, subject="SN001", unit=12):
    return root / "ActionUnit_Labels" / subject / f"{subject}_au{unit}.txt"
