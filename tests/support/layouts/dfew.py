"""Fake files of DFEW in the layout of its owners."""

from tests.support.fake_trees import write_pictures, write_text

LABELS = ["happiness", "sadness", "neutral", "anger", "surprise", "disgust", "fear"]
FRAMES = ["1.jpg", "2.jpg", "10.jpg"]


def code(number):
    return number % 7 + 1


def fold(number):
    return number % 5 + 1


def write_lists(root, numbers, *, head="video_name,label"):
    """Lists of the five folds; clips are named by numbers without zeros, as in the release."""
    for k in range(1, 6):
        for part in ("train", "test"):
            rows = [f"{n},{code(n)}" for n in numbers if (fold(n) == k) == (part == "test")]
            text = "\n".join([*([head] if head else []), *rows]) + "\n"
            write_text(root / "EmoLabel_DataSplit" / f"{part}(single-labeled)" / f"set_{k}.csv", text)


def write_dfew(root, n_clips=35, *, folder="jpg_256", frames=FRAMES):
    """Clips 1 to ``n_clips``, and one without a single label, which is in no list."""
    write_lists(root, range(1, n_clips + 1))
    for number in range(1, n_clips + 2):
        write_pictures(root / "Clip" / folder / f"{number:05d}", frames, LABELS[code(number) - 1])
    return root
