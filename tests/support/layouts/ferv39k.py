"""Fake files of FERV39k in the layout of its owners."""

from tests.support.fake_trees import write_pictures, write_text

EMOTIONS = ["Angry", "Disgust", "Fear", "Happy", "Neutral", "Sad", "Surprise"]
LISTS = "4_setups/All_scenes"


def write_ferv39k(root, scenes=("Action", "DailyLife"), *, frames="2_ClipsforFaceCrop"):
    """Two clips of each class, one in each part; every scene has the same numbers, as in the release."""
    lines = {"train": [], "test": []}
    for scene in scenes:
        for emotion in EMOTIONS:
            for number, part in enumerate(lines):
                clip = f"{scene}/{emotion}/{number:04d}"
                write_pictures(root / frames / clip, ["0001.jpg", "0002.jpg"], emotion)
                lines[part].append(f"{clip} {emotion}")
    for part, one in lines.items():
        write_text(root / LISTS / f"{part}_All.csv", "\n".join(one) + "\n")
        write_text(root / "4_setups" / "22_scenes" / f"{part}_Action.csv", one[0] + "\n")
    return root
