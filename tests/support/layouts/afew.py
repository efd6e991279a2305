"""Fake files of AFEW in the layout of its owners."""

from tests.support.fake_trees import write_clip

EMOTIONS = ["Angry", "Disgust", "Fear", "Happy", "Neutral", "Sad", "Surprise"]


def write_afew(root, parts=("Train", "Val"), *, per_class=1, n_frames=4):
    """Clips of every class in both parts; one name occurs in both, as in the release."""
    for index, part in enumerate(parts):
        for number in range(7 * per_class):
            name = "000046280" if number == 0 else f"{index}{number:08d}"
            emotion = EMOTIONS[number % 7]
            write_clip(root / part / emotion / f"{name}.avi", n_frames, emotion)
    return root
