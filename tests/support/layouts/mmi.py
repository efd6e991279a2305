"""Fake files of MMI in the layout of its owners."""

from tests.support.fake_trees import write_clip, write_text

HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def session_xml(sid, view):
    return (
        f'{HEAD}<session sessionId="1"><subject id="1"/>'
        f'<track trackNumber="1" filename="{sid}.avi" view="{view}"/></session>'
    )


def emotion_xml(code):
    tag = "" if code is None else f'<Metatag Name="Emotion" Value="{code}"/>'
    return f'{HEAD}<Annotation><Metatag Name="Gender" Value="2"/>{tag}</Annotation>'


def units_xml(*units):
    """Each unit is a list of (frame, type)."""
    markers = ["".join(f'<Marker Frame="{frame}" Type="{kind}"/>' for frame, kind in unit) for unit in units]
    inner = "".join(
        f'<ActionUnit Number="{4 + number}">{text}</ActionUnit>' for number, text in enumerate(markers)
    )
    return f"{HEAD}<OAO_AUCS>{inner}</OAO_AUCS>"


def write_session(root, number, sid, code, *, view=0, units=None, n_frames=9):
    folder = root / "Sessions" / str(number)
    write_clip(folder / f"{sid}.avi", n_frames, str(code))
    write_text(folder / "session.xml", session_xml(sid, view))
    write_text(folder / f"{sid}.xml", emotion_xml(code))
    if units is not None:
        write_text(folder / f"{sid}-oao_aucs.xml", units_xml(*units))
    return folder
