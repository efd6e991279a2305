"""``labelling.xml``: the page on which annotators of Label Studio answer.

Names of the controls, which answers carry: ``label``, ``answer``, ``confidence``, ``key_frame``.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

KEY_FRAME_LABEL = "key frame"
STARS = 5
"""Stars of the confidence: so many fifths."""

ANSWERS = {"unsure": "unsure", "not usable": "not_usable"}
"""Choices in place of a class, and the reserved answers that they are."""


def labelling_xml(classes: Sequence[tuple[str, str]], *, show: str) -> str:
    """Return the labelling configuration.

    Args:
        classes: ``(class, upper class)`` in order.
        show: ``"clips"`` or ``"strips"``.
    """
    if show == "clips":
        media = [
            '  <Video name="clip" value="$media" frameRate="$fps" timelineHeight="72"/>',
            '  <TimelineLabels name="key_frame" toName="clip">',
            f'    <Label value="{KEY_FRAME_LABEL}" background="#c0392b" hotkey="k"/>',
            "  </TimelineLabels>",
        ]
        asked = "2. Key frame: press K, then click on the timeline at the frame of the climax"
    else:
        media = ['  <Image name="clip" value="$media" zoom="true" zoomControl="true"/>']
        asked = "2. Key frame: number above the frame of the climax"
    numbered = (
        [] if show == "clips" else ['    <Number name="key_frame" toName="clip" min="0" max="$last_frame"/>']
    )
    return "\n".join(
        [
            "<View>",
            *media,
            '  <View style="display: grid; grid-template-columns: minmax(16em, 1fr) minmax(16em, 1fr); '
            'gap: 0 2em">',
            "  <View>",
            '    <Header size="5" value="1. Expression of the face"/>',
            '    <Taxonomy name="label" toName="clip" leafsOnly="true" maxUsages="1" showFullPath="true" '
            'placeholder="choose a class">',
            *_choices(classes),
            "    </Taxonomy>",
            '    <Choices name="answer" toName="clip" choice="single-radio" showInline="true">',
            *(f"      <Choice value={quoteattr(name)}/>" for name in ANSWERS),
            "    </Choices>",
            "  </View>",
            "  <View>",
            f'    <Header size="5" value="{asked}"/>',
            *numbered,
            '    <Header size="5" value="3. How sure are you of the expression?"/>',
            f'    <Rating name="confidence" toName="clip" maxRating="{STARS}"/>',
            "  </View>",
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
            lines += [f"      <Choice value={quoteattr(name)}/>" for name in below]
            continue
        lines.append(f"      <Choice value={quoteattr(upper)}>")
        lines += [f"        <Choice value={quoteattr(name)}/>" for name in below]
        lines.append("      </Choice>")
    return lines
