"""Fake files of FER2013 in the layout of its owners."""

from tests.support.fake_trees import pixels, write_picture

USAGES = ["Training", "PublicTest", "PrivateTest"]
HEAD = "emotion,pixels,Usage"
VOTES_HEAD = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
FOLDERS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]


def row(number):
    code = number % 7
    text = " ".join(map(str, pixels(f"row {number}", str(code)).ravel()))
    return f"{code},{text},{USAGES[number // 7 % 3]}"


def write_table(root, n_rows=21, *, head=HEAD, newline="\n"):
    lines = [head, *(row(number) for number in range(n_rows))]
    root.mkdir(parents=True, exist_ok=True)
    (root / "fer2013.csv").write_bytes((newline.join(lines) + newline).encode())
    return root


def write_folders(root, per_class=2):
    for part in ("train", "test"):
        for folder in FOLDERS:
            for number in range(per_class):
                write_picture(root / part / folder / f"{part.title()}_{number}.jpg", folder)
    return root
