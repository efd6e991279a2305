"""Adapter of Oulu-CASIA NIR&VIS: sequences from neutral to the peak of an expression.

Layout: ``OriginalImg/{VL,NI}/{Strong,Weak,Dark}/P###/<emotion>/000.jpeg``, with ``B_OriginalImg/`` or
``Oulu_CASIA_NIR_VIS/`` in place of the first folder in other copies. Labels: the six basic expressions, and
neutral. Each camera (visible light ``VL``, near infrared ``NI``) and light is a variant, e.g. ``vl-strong``.

The last three frames of a sequence are the peak. Its first frame is a second entry ``P###_<emotion>-neutral``
of the same subject (paper section V-A); a recipe with six classes leaves these out. Folds are by subject: a
widespread script deals out sequences, and with them the same subject to training and test, so that its
results are too high.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fgbench.datasets._card import WHOLE, Card, Variant
from fgbench.datasets._folders import find, labelled_folders, layout_error, relative, subfolders, unwrap
from fgbench.datasets._peaks import lost_peak_and_neutral, peak_and_neutral
from fgbench.records import ClipEntry

_EMOTIONS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
_FOLDERS = {name: name for name in _EMOTIONS}
_CAMERAS = {"vl": "visible light", "ni": "near infrared"}
_LIGHTS = ("strong", "weak", "dark")
_ORIGINALS = frozenset({"originalimg", "b_originalimg"})
_LAYOUT = (
    "OriginalImg/{VL,NI}/{Strong,Weak,Dark}/P###/{Anger,Disgust,Fear,Happiness,Sadness,Surprise}/000.jpeg",
    "the same in B_OriginalImg/ or Oulu_CASIA_NIR_VIS/",
)

CARD = Card(
    title="Oulu-CASIA NIR&VIS",
    kind="image",
    licence="research only, after a signed agreement",
    citation="Zhao, Huang, Taini, Li and Pietikäinen, Facial Expression Recognition from Near-Infrared "
    "Videos, Image and Vision Computing 2011",
    request="Center for Machine Vision and Signal Analysis, University of Oulu, page of Oulu-CASIA NIR&VIS",
    protocol="10 folds by subject, never by sequence; last three frames are the peak, the first is neutral",
    layouts=_LAYOUT,
    variants=tuple(
        Variant(
            name=f"{camera}-{light}",
            scheme="ekman7",
            about=f"{what}, {light} illumination; the neutral first frames too",
            totals={WHOLE: 2 * 480},
            classes={WHOLE: {**dict.fromkeys(_EMOTIONS, 80), "neutral": 480}},
            subjects=80,
        )
        for camera, what in _CAMERAS.items()
        for light in _LIGHTS
    ),
    totals_source="Zhao et al. 2011: 80 subjects with six expressions, for each camera and light",
    unconfirmed=("that published results by 10 folds are all by subject",),
)


def list_clips(root: Path, variant: str = "vl-strong") -> list[ClipEntry]:
    """Sequences of one camera and light with their neutral first frames, ordered by id.

    Args:
        root: Folder with the layout above, possibly some folders up.
        variant: Camera and light, e.g. ``"vl-strong"``.

    Raises:
        DatasetError: If the folder is not laid out so.
    """
    camera, _, light = variant.partition("-")
    base = unwrap(root, lambda folder: folder.name.lower() in _ORIGINALS and _has_camera(folder))
    base = base or unwrap(root, _has_camera)
    if base is None:
        raise layout_error(f"{root} has no folder VL/ or NI/", _LAYOUT)
    folder = base
    for name in (camera.upper(), light.title()):
        inner = find(folder, name)
        if inner is None:
            raise layout_error(f"{folder} has no folder {name}/", _LAYOUT)
        folder = inner
    entries = [entry for subject in subfolders(folder).values() for entry in _subject(subject, root)]
    if not entries:
        raise layout_error(f"{folder} has no folders P###/ with folders of emotions", _LAYOUT)
    return sorted(entries, key=lambda entry: entry.clip_id)


def _has_camera(folder: Path) -> bool:
    return any(find(folder, camera) is not None for camera in _CAMERAS)


def _subject(folder: Path, root: Path) -> Iterator[ClipEntry]:
    """Six sequences of a subject; empty for a folder without emotions."""
    labelled = {label: path for path, label in labelled_folders(folder, _FOLDERS).items()}
    if not labelled:
        return
    subject = folder.name.upper()
    for label in _EMOTIONS:
        name = f"{subject}_{label}"
        if label not in labelled:
            path = relative(folder / label.title(), root)
            problem = ("missing_file", f"no folder {path}")
            yield from lost_peak_and_neutral(name, path, label=label, subject=subject, problem=problem)
            continue
        yield from peak_and_neutral(labelled[label], root, name=name, label=label, subject=subject)
