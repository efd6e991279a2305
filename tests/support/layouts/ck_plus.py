"""Fake files of CK+ in the layout of its owners."""

from tests.support.fake_trees import write_picture, write_pictures, write_text

CODES = {"anger": 1, "contempt": 2, "disgust": 3, "fear": 4, "happiness": 5, "sadness": 6, "surprise": 7}
FOLDERS = ["anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise"]


def write_sequences(root, n_subjects=10, *, n_frames=5):
    """Two labelled sequences and an unlabelled one of every subject; codes are floats, as in the release."""
    for number in range(n_subjects):
        subject = f"S{number + 5:03d}"
        for index in range(3):
            sequence = f"{index + 1:03d}"
            label = list(CODES)[(2 * number + index) % 7]
            names = [f"{subject}_{sequence}_{frame + 1:08d}.png" for frame in range(n_frames)]
            write_pictures(root / "cohn-kanade-images" / subject / sequence, names, label)
            labels = root / "Emotion" / subject / sequence
            labels.mkdir(parents=True, exist_ok=True)
            if index < 2:
                write_text(labels / f"{names[-1][:-4]}_emotion.txt", f"   {CODES[label]:.7e}\n")
    (root / "cohn-kanade-images" / "S005" / "001" / ".DS_Store").write_bytes(b"x")
    return root


def write_cropped(root, n_subjects=10):
    for number in range(n_subjects):
        folder = FOLDERS[number % 7]
        for frame in (10, 11, 12):
            write_picture(root / "CK+48" / folder / f"S{number + 5:03d}_001_{frame:08d}.png", folder)
    return root


FACS = {"001": "   1.2000000e+01   5.0000000e+00\n   2.5000000e+01   0.0000000e+00\n", "003": "6 2\n64 1\n"}


def write_units(root, n_subjects=8):
    """FACS codes of two sequences of every subject, one of which has no expression."""
    write_sequences(root, n_subjects)
    for number in range(n_subjects):
        subject = f"S{number + 5:03d}"
        for sequence, text in FACS.items():
            path = root / "FACS" / subject / sequence / f"{subject}_{sequence}_00000005_facs.txt"
            write_text(path, text)
    return root
