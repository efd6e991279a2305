"""Fake files of MAFW in the layout of its owners."""

from tests.support.fake_trees import write_pictures, write_text

LABELS = [
    "anger",
    "disgust",
    "fear",
    "happiness",
    "neutral",
    "sadness",
    "surprise",
    "contempt",
    "anxiety",
    "helplessness",
    "disappointment",
]
LISTS = "single/no_caption"


def write_mafw(root, n_clips=33, *, lists="split"):
    """Clips 1 to ``n_clips`` in five folds; beside are compound lists and counts of frames."""
    for k in range(1, 6):
        for part in ("train", "test"):
            actual = [n for n in range(1, n_clips + 1) if (n % 5 + 1 == k) == (part == "test")]
            text = "".join(f"{n:05d}.mp4 {LABELS[n % 11]}\n" for n in actual)
            write_text(root / lists / LISTS / f"set_{k}" / f"{part}.txt", text)
            compound = root / lists / "compound" / "no_caption" / f"set_{k}" / f"{part}.txt"
            write_text(compound, "00001.mp4 anger_disgust\n")
    for number in range(1, n_clips + 1):
        folder = root / "data" / "frames" / f"{number:05d}"
        write_pictures(folder, ["00001.jpg", "00002.jpg"], LABELS[number % 11])
        write_text(folder / "n_frames", "2")
    return root
