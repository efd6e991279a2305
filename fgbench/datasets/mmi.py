"""Adapter of MMI: clips from neutral over the peak of an expression back to neutral.

Layout::

    Sessions/<id>/session.xml         <track view="0"/>: 0 frontal, 1 profile, 2 both in one picture
    Sessions/<id>/<sid>.avi           the clip; <sid> is S###-###, the subject and the recording
    Sessions/<id>/<sid>.xml           <Metatag Name="Emotion" Value="1"/>
    Sessions/<id>/<sid>-oao_aucs.xml  <ActionUnit><Marker Frame="1" Type="0"/>; for some clips only

Labels: anger, disgust, fear, happiness, sadness, surprise (1 to 6), and neutral; clips with another code are
left out and counted as ``other``. The first frame of a clip with one of the six is a second entry
``S###-###-neutral`` of the same subject (paper section V-A); a recipe with six classes leaves these out.
Sessions without an emotion, and clips in profile, are not listed. In a picture with both views the frontal
face is taken, since the detector does not find the other.

Action units (variant ``units``, which lists all frontal sessions with ``-oao_aucs.xml``, with an emotion or
not): 28 (:data:`UNITS`), present in the frames of their apex, absent in neutral ones and throughout where the
file does not name them; onset and offset, where a unit begins or ceases to show, are not labelled. Frames
after the last marker of a file are not labelled either.

The key frame is the middle of the frames in which the most action units are at their apex, where these are
annotated; elsewhere it is left open, and recipes take the middle of the clip.

Some clips are stored turned by 90 degrees, and the file does not say so: no face is found in them, which
counts as wrong in accuracies. A copy beside the clip that states it, ``<sid>.mov`` or ``<sid>.mp4``, is taken
instead; ``ffmpeg -display_rotation 270 -i <sid>.avi -c copy <sid>.mov`` makes one that is shown turned by 90
degrees clockwise, with the same frames.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element

from fgbench.datasets._card import Card, Variant
from fgbench.datasets._folders import file_names, find, layout_error, prefix, stem, subfolders, unwrap
from fgbench.datasets._mmi_phases import UNITS, apex_frame, phases_of
from fgbench.datasets._peaks import first_frame
from fgbench.datasets._tables import label_of, whole_number
from fgbench.datasets._unit_names import Patterns
from fgbench.datasets._xml import read_xml
from fgbench.errors import DatasetError
from fgbench.media.kinds import is_video
from fgbench.records import AuRow, ClipEntry

OTHER = "other"
"""Label of clips with an expression that is not among the six."""

_CODES = dict(enumerate(("anger", "disgust", "fear", "happiness", "sadness", "surprise"), start=1))
_VIEWS = frozenset({"0", "2"})
_SID = re.compile(r"(?P<subject>[Ss]\d+)-\d+.*")
_AUCS = "-oao_aucs.xml"
_LAYOUT = (
    "Sessions/<id>/ with session.xml, <sid>.avi, <sid>.xml (Metatag Emotion 1 to 6), and for some "
    "<sid>-oao_aucs.xml",
)

CARD = Card(
    title="MMI Facial Expression Database",
    kind="video",
    licence="research only, after a signed agreement",
    citation="Pantic, Valstar, Rademaker and Maat, Web-based Database for Facial Expression Analysis, ICME "
    "2005; Valstar and Pantic, Induced Disgust, Happiness and Surprise, LREC Workshop EMOTION 2010",
    request="Maja Pantic and Michel Valstar, page of the MMI Facial Expression Database",
    protocol="10 folds by subject; frames in the middle are the apex, the first is neutral",
    layouts=_LAYOUT,
    variants=(
        Variant(
            name="emotions",
            scheme="mmi8",
            about="frontal clips with an emotion, and the neutral first frame of each",
        ),
        Variant(name="units", scheme="none", about="frontal clips with action units in every frame"),
    ),
    unconfirmed=(
        "that the frames in the middle of a clip are its apex; publications differ in which they take",
        "number of clips: publications use 205 to 213",
        "what codes of emotions above 6 stand for",
        "that the sessions are coded for all of the 28 action units: one that a file does not name is absent",
        "types of markers: 0 neutral, 1 onset, 2 apex, 3 offset; that they count frames from 1",
    ),
)


def list_clips(root: Path, variant: str = "emotions") -> list[ClipEntry]:
    """Clips with an emotion, and their neutral first frames, or clips with action units, ordered by id.

    Args:
        root: Folder with the layout above, possibly some folders up, or ``Sessions/`` itself.
        variant: ``"emotions"`` or ``"units"``.

    Raises:
        DatasetError: If the folder is not laid out so, no session has an emotion (or action units), or a
            code of an emotion is no number.
    """
    listed = _coded_session if variant == "units" else _session
    base = _sessions(root)
    entries = [entry for folder in subfolders(base).values() for entry in listed(folder, root)]
    if not entries:
        wanted = "<sid>-oao_aucs.xml" if variant == "units" else "<sid>.xml that tells an emotion"
        raise layout_error(f"{base} has no session with a file {wanted}", _LAYOUT)
    return sorted(entries, key=lambda entry: entry.clip_id)


def action_units(root: Path) -> Iterator[AuRow]:
    """Yield labels of the frames of all frontal sessions with readable action units.

    Args:
        root: As for :func:`list_clips`.

    Raises:
        DatasetError: If the folder is not laid out so.
    """
    patterns = Patterns(UNITS)
    for folder in subfolders(_sessions(root)).values():
        for entry in _coded_session(folder, root):
            path = find(folder, entry.clip_id + _AUCS)
            if entry.problem is not None or path is None:
                continue
            for index, labels in enumerate(phases_of(read_xml(path))):
                yield AuRow(clip_id=entry.clip_id, frame_index=index, labels=patterns.of(labels))


def _sessions(root: Path) -> Path:
    base = unwrap(root, _has_sessions)
    if base is None:
        raise layout_error(f"{root} has no folder Sessions/ with <id>/session.xml", _LAYOUT)
    return base


def _coded_session(folder: Path, root: Path) -> Iterator[ClipEntry]:
    """Clips of a session with action units, except those in profile."""
    session = find(folder, "session.xml")
    for sid, name in _clips(folder).items():
        units = find(folder, sid + _AUCS)
        if units is None:
            continue
        path, match, problem = prefix(folder, root) + name, _SID.fullmatch(sid), None
        try:
            if session is None:
                raise DatasetError(f"{folder} has no file session.xml, which tells the view")
            if not _is_frontal(read_xml(session), name):
                continue
            if match is None:
                raise DatasetError(f"{path} does not name its subject, expected S###-###; folds need it")
            phases_of(read_xml(units))
        except DatasetError as error:
            problem = ("bad_annotation", error.message)
        yield ClipEntry(
            clip_id=sid,
            path=path,
            subject_id=None if match is None else match["subject"].upper(),
            source_id=sid,
            problem=problem,
        )


def _has_sessions(folder: Path) -> bool:
    return any(find(inner, "session.xml") is not None for inner in subfolders(folder).values())


def _session(folder: Path, root: Path) -> Iterator[ClipEntry]:
    """The clip of a session, if it has an emotion and is not in profile."""
    clips = _clips(folder)
    session = find(folder, "session.xml")
    for sid, name in clips.items():
        path = prefix(folder, root) + name
        labels, units = find(folder, f"{sid}.xml"), find(folder, sid + _AUCS)
        if labels is None:
            continue
        try:
            code = _emotion(read_xml(labels))
            if code is None:
                continue
            if session is None:
                raise DatasetError(f"{folder} has no file session.xml, which tells the view")
            if not _is_frontal(read_xml(session), name):
                continue
        except DatasetError as error:
            yield ClipEntry(clip_id=sid, path=path, problem=("bad_annotation", error.message))
            continue
        label, match = _label(code, labels), _SID.fullmatch(sid)
        subject = None if match is None else match["subject"].upper()
        key_frame, problem = None, None
        try:
            if match is None:
                raise DatasetError(f"{path} does not name its subject, expected S###-###; folds need it")
            key_frame = None if units is None else apex_frame(read_xml(units))
        except DatasetError as error:
            problem = ("bad_annotation", error.message)
        yield ClipEntry(
            clip_id=sid,
            path=path,
            label=label,
            key_frame=key_frame,
            subject_id=subject,
            source_id=sid,
            problem=problem,
        )
        if label != OTHER:
            yield replace(first_frame(sid, path, subject=subject), problem=problem)


def _clips(folder: Path) -> dict[str, str]:
    """Id to file name of the clips in a folder; of several files with one id, one that is no AVI."""
    clips: dict[str, str] = {}
    for name in file_names(folder):
        if is_video(name) and (stem(name) not in clips or not name.lower().endswith(".avi")):
            clips[stem(name)] = name
    return clips


def _emotion(annotation: Element) -> str | None:
    for tag in annotation.iter("Metatag"):
        if tag.get("Name", "").lower() == "emotion":
            return tag.get("Value", "")
    return None


def _label(code: str, path: Path) -> str:
    """One of the six, or :data:`OTHER` for another number."""
    number = whole_number(code)
    return OTHER if number is not None and number not in _CODES else label_of(code, _CODES, path)


def _is_frontal(session: Element, name: str) -> bool:
    """Return whether the track of a file (or, if none names it, the first one) shows the face from the front.

    Raises:
        DatasetError: If there is no track with a view.
    """
    tracks = [track for track in session.iter("track") if track.get("view") is not None]
    if not tracks:
        raise DatasetError("session.xml has no track with a view")
    own = [track for track in tracks if stem(track.get("filename", "")).lower() == stem(name).lower()]
    return (own or tracks)[0].get("view") in _VIEWS
