"""Packed recipes, each with fake files that it is tried on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.fake_trees import write_clip, write_pictures, write_text
from tests.support.layouts.afew import write_afew
from tests.support.layouts.aff_wild2 import write_aff
from tests.support.layouts.affectnet import write_arrays, write_lists
from tests.support.layouts.bp4d import write_bp4d
from tests.support.layouts.ck_plus import write_cropped, write_sequences, write_units
from tests.support.layouts.dfew import write_dfew
from tests.support.layouts.disfa import write_disfa
from tests.support.layouts.disfa_plus import write_disfa_plus
from tests.support.layouts.emotionet import write_emotionet
from tests.support.layouts.fer2013 import VOTES_HEAD, write_folders, write_table
from tests.support.layouts.ferv39k import write_ferv39k
from tests.support.layouts.jaffe import write_jaffe
from tests.support.layouts.mafw import write_mafw
from tests.support.layouts.mmi import write_session
from tests.support.layouts.oulu_casia import write_oulu
from tests.support.layouts.raf_au import write_raf_au
from tests.support.layouts.raf_db import write_half
from tests.support.layouts.sfew import ALIGNED, write_sfew
from tests.support.layouts.unbc_mcmaster import write_unbc

PARTS = ("train", "val", "test")


def write_fer_plus(root):
    """The table of FER2013, and ten votes for the label of each row; every second disgust is contempt."""
    labels = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]
    columns = VOTES_HEAD.split(",")[2:]
    lines = [VOTES_HEAD]
    for number in range(84):
        label = "contempt" if number % 42 == number % 21 and number % 7 == 1 else labels[number % 7]
        votes = ",".join("10" if column == label else "0" for column in columns)
        lines.append(f"{('Training', 'PublicTest', 'PrivateTest')[number // 7 % 3]},{number}.png,{votes}")
    write_text(write_table(root, 84) / "fer2013new.csv", "\n".join(lines) + "\n")


def write_mmi(root):
    """A session of every subject and emotion."""
    for subject in range(1, 11):
        for code in range(1, 7):
            write_session(root, 6 * subject + code, f"S{subject:03d}-{code:03d}", code, n_frames=3)


def write_mmi_units(root):
    """A session of six subjects with AU 4 to 12, of which 12 is at its apex in the end."""
    rest, rising = [(1, 0), (4, 0)], [(1, 0), (2, 1), (3, 2), (4, 2)]
    for subject in range(1, 7):
        write_session(root, subject, f"S{subject:03d}-001", None, units=[*[rest] * 8, rising], n_frames=4)


def write_own_units(root):
    """Clips of six persons, in whose second half AU 12 is present."""
    lines = ["clip,frame,AU12"]
    for person in range(6):
        write_clip(root / "videos" / f"c{person}.mp4", 4)
        lines += [f"c{person},{frame},{int(frame > 1)}" for frame in range(4)]
    write_text(root / "action_units.csv", "\n".join(lines) + "\n")
    write_text(root / "annotations.csv", "clip,subject\n" + "".join(f"c{n},s{n}\n" for n in range(6)))


def write_folder(root):
    for part in PARTS:
        for label in ("Smile", "no smile"):
            write_pictures(root / part / label, [f"{part}{number}.png" for number in range(3)], label)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A packed recipe and fake files for it.

    Attributes:
        recipe: Its name.
        write: Writes the files.
        classes: Number of classes.
        column: Column of the table.
        is_of_the_paper: Whether the paper's table has that column.
        changes: Keys of the recipe that are set otherwise: faces are not searched in pictures without any.
    """

    recipe: str
    write: Callable[[Path], object]
    classes: int = 7
    column: str
    is_of_the_paper: bool = True
    changes: str = ""

    def command(self, folder: Path) -> str:
        """What is prepared: the packed recipe, or one in a folder that extends it."""
        if not self.changes:
            return self.recipe
        return str(write_text(folder / "mine.yaml", f"extends: {self.recipe}\n{self.changes}\n"))


AS_THEY_ARE = "buckets: 2\nfaces: {align: never}\naugment: {balance: none}"
OWN = {"is_of_the_paper": False}
CASES = [
    Case(
        recipe="afew",
        write=lambda root: write_afew(root, per_class=4),
        column="AFEW 7.0",
        changes=AS_THEY_ARE,
        **OWN,
    ),
    Case(
        recipe="affectnet",
        write=lambda root: write_lists(root, per_class=4),
        classes=8,
        column="AffectNet",
        changes=AS_THEY_ARE,
    ),
    Case(
        recipe="affectnet-arrays-7",
        write=lambda root: write_arrays(root, range(32)),
        column="AffectNet",
        changes="buckets: 2",
    ),
    Case(recipe="ck-plus", write=lambda root: write_sequences(root, 21), column="CK+", changes=AS_THEY_ARE),
    Case(
        recipe="ck-plus-contempt",
        write=lambda root: write_sequences(root, 21),
        column="CK+",
        changes=AS_THEY_ARE,
    ),
    Case(recipe="ck-plus-48", write=lambda root: write_cropped(root, 21), column="CK+"),
    Case(recipe="dfew", write=write_dfew, column="DFEW", **OWN),
    Case(recipe="fer-plus", write=write_fer_plus, classes=8, column="FER+", **OWN),
    Case(recipe="fer2013", write=lambda root: write_table(root, 63), column="FER2013"),
    Case(recipe="fer2013-folders", write=lambda root: write_folders(root, 6), column="FER2013"),
    Case(recipe="ferv39k", write=write_ferv39k, column="FERV39k", **OWN),
    Case(
        recipe="folder",
        write=write_folder,
        classes=2,
        column="my-smiles",
        changes=f"dataset: {{name: my-smiles}}\n{AS_THEY_ARE}",
        **OWN,
    ),
    Case(recipe="jaffe", write=write_jaffe, column="JAFFE", changes=AS_THEY_ARE, **OWN),
    Case(
        recipe="mafw",
        write=lambda root: write_mafw(root, 55),
        classes=11,
        column="MAFW",
        changes=AS_THEY_ARE,
        **OWN,
    ),
    Case(recipe="mmi", write=write_mmi, column="MMI", changes=AS_THEY_ARE),
    Case(recipe="mmi-6", write=write_mmi, classes=6, column="MMI", changes=AS_THEY_ARE),
    Case(
        recipe="oulu-casia",
        write=lambda root: write_oulu(root, 10),
        column="Oulu-CASIA",
        changes=AS_THEY_ARE,
        **OWN,
    ),
    Case(recipe="raf-db", write=lambda root: write_half(root, per_class=4), column="RAF-DB Basic"),
    Case(
        recipe="raf-db-compound",
        write=lambda root: write_half(root, "compound", n_classes=11, per_class=4),
        classes=11,
        column="RAF-DB Compound",
    ),
    Case(recipe="sfew", write=lambda root: write_sfew(root, n_films=4), column="SFEW", changes=AS_THEY_ARE),
    Case(recipe="sfew-aligned", write=lambda root: write_sfew(root, ALIGNED, n_films=4), column="SFEW"),
]
UNITS = {
    "bp4d": write_bp4d,
    "disfa": write_disfa,
    "disfa-plus": write_disfa_plus,
    "unbc-mcmaster": write_unbc,
    "aff-wild2": write_aff,
    "raf-au": write_raf_au,
    "emotionet": write_emotionet,
    "ck-plus-units": write_units,
    "mmi-units": write_mmi_units,
    "action-units": write_own_units,
}
