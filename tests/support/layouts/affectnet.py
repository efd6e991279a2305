"""Fake files of AffectNet in the layout of its owners."""

import numpy as np

from tests.support.fake_trees import write_picture, write_text

HEAD = (
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"
)
LISTS = "Manually_Annotated_file_lists"
IMAGES = "Manually_Annotated_Images"


def line(name, code, *, width=101):
    return f"{name},12,12,{width},{width},25.1;60.2;27.5;75.9,{code},-0.17,0.03"


def write_lists(root, *, head=True, per_class=1):
    """A picture of each of the eleven codes in both parts; the list of validation may lack its head."""
    for part, table in (("t", "training"), ("v", "validation")):
        lines = [HEAD] if head or table == "training" else []
        for number in range(11 * per_class):
            name = f"{1 + number % 3}/{part}{number:04d}abc.JPG"
            write_picture(root / IMAGES / name, f"{number % 11}")
            lines.append(line(name, number % 11, width=-1 if number % 11 > 7 else 101))
        write_text(root / LISTS / f"{table}.csv", "\n".join(lines) + "\n")
    return root


def write_arrays(root, numbers=range(8)):
    for part in ("train_set", "val_set"):
        for number in numbers:
            write_picture(root / part / "images" / f"{number}.jpg", f"{number % 8}", size=(224, 224))
            folder = root / part / "annotations"
            folder.mkdir(parents=True, exist_ok=True)
            np.save(folder / f"{number}_exp.npy", np.array(str(number % 8)))
            np.save(folder / f"{number}_val.npy", np.array("-0.5"))
            np.save(folder / f"{number}_lnd.npy", np.zeros(136))
    return root
