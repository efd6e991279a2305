"""Fake files of Oulu-CASIA in the layout of its owners."""

from tests.support.fake_trees import write_pictures

EMOTIONS = ["Anger", "Disgust", "Fear", "Happiness", "Sadness", "Surprise"]


def write_oulu(root, n_subjects=2, *, below="OriginalImg", light="VL/Strong", n_frames=5):
    """Six sequences of every subject; names of pictures are numbers from 0."""
    for number in range(n_subjects):
        for emotion in EMOTIONS:
            folder = root / below / light / f"P{number + 1:03d}" / emotion
            write_pictures(folder, [f"{frame:03d}.jpeg" for frame in range(n_frames)], emotion)
    return root
