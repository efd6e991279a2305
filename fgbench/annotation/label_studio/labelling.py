"""``labelling.xml``: the page on which annotators of Label Studio answer.

Names of the controls, which answers carry: ``label``, ``answer``, ``confidence``, ``key_frame``.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

KEY_FRAME_LABEL = "key frame"
STARS = 5
"""Stars of the confidence: so many fifths."""

_COLUMNS = "display: grid; grid-template-columns: minmax(45em, 3fr) minmax(12em, 1fr); gap: 0 1em"
_EQUAL_COLUMNS = "display: grid; grid-template-columns: 1fr 1fr; gap: 0 1em"
_VIDEO_PX = 360

ANSWERS = {"unsure": "unsure", "not usable": "not_usable"}
"""Choices in place of a class, and the reserved answers that they are."""


def labelling_xml(classes: Sequence[tuple[str, str]], *, show: str) -> str:
    """Return the labelling configuration.

    Args:
        classes: ``(class, upper class)`` in order.
        show: ``"clips"`` or ``"strips"``.
    """
    if show == "clips":
        asked = "1. Key frame: press K, and click on the frame of the climax"
        media = [
            f'      <Header size="5" value="{asked}"/>',
            '      <TimelineLabels name="key_frame" toName="clip">',
            f'        <Label value="{KEY_FRAME_LABEL}" background="#c0392b" hotkey="k"/>',
            "      </TimelineLabels>",
            f'      <Video name="clip" value="$media" frameRate="$fps" height="{_VIDEO_PX}" '
            'timelineHeight="64"/>',
        ]
        above, columns = [], _COLUMNS
    else:
        above = ['  <Image name="clip" value="$media" zoom="true" zoomControl="true"/>']
        columns = _EQUAL_COLUMNS
        media = [
            '      <Header size="5" value="1. Key frame: number above the frame of the climax"/>',
            '      <Number name="key_frame" toName="clip" min="0"/>',
        ]
    return "\n".join(
        [
            "<View>",
            *above,
            f'  <View style="{columns}">',
            "    <View>",
            *media,
            "    </View>",
            "    <View>",
            '      <Header size="5" value="2. Expression"/>',
            '      <Taxonomy name="label" toName="clip" leafsOnly="true" maxUsages="1" showFullPath="true" '
            'placeholder="choose a class">',
            *_choices(classes),
            "      </Taxonomy>",
            '      <Header size="5" value="or, in its place:"/>',
            '      <Choices name="answer" toName="clip" choice="single-radio" showInline="true">',
            *(f'        <Choice value={quoteattr(name)} hotkey="{name[0]}"/>' for name in ANSWERS),
            "      </Choices>",
            '      <Header size="5" value="3. How sure are you?"/>',
            f'      <Rating name="confidence" toName="clip" maxRating="{STARS}"/>',
            "    </View>",
            "  </View>",
            "</View>",
            "",
        ]
    )


def _choices(classes: Sequence[tuple[str, str]]) -> list[str]:
    lines = []
    uppers = list(dict.fromkeys(upper for _, upper in classes))
    for upper in uppers:
        below = [name for name, above in classes if above == upper]
        if not upper:
            lines += [f"        <Choice value={quoteattr(name)}/>" for name in below]
            continue
        lines.append(f"        <Choice value={quoteattr(upper)}>")
        lines += [f"          <Choice value={quoteattr(name)}/>" for name in below]
        lines.append("        </Choice>")
    return lines
