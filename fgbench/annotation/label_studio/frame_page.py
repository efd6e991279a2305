"""Pages of Label Studio on which frames are chosen: those of a clip on one picture, with a box for each."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from fgbench.annotation.project_file import PROJECT, Project
from fgbench.naming import counted
from fgbench.printable import printable_name

FRAMES = "frames"
"""Name of the control, which answers carry."""

_ASKED = {
    1: "Frames near the key frame that show the expression; none, if no frame does",
    2: "Frames that you confirm; none, if you strike out all",
}


PICTURES_ALONE = "\n".join(
    [
        "<View>",
        '  <Image name="clip" value="$media"/>',
        '  <Choices name="sent" toName="clip"><Choice value="no"/></Choices>',
        "</View>",
        "",
    ]
)
"""Configuration of a project until its pictures are there: the server takes no file for one whose tasks have
a second key, as those of frames have."""


def frames_xml(stage: int) -> str:
    """Return the labelling configuration.

    Args:
        stage: 1 to select, 2 to inspect.
    """
    return "\n".join(
        [
            "<View>",
            f'  <Header size="5" value={quoteattr(_ASKED[stage])}/>',
            '  <Image name="clip" value="$media" zoom="true" zoomControl="true"/>',
            f'  <Choices name="{FRAMES}" toName="clip" value="$frames" choice="multiple" '
            'showInline="true" required="true"/>',
            "</View>",
            "",
        ]
    )


def frames_guide(project: Project) -> str:
    """Return the text of ``README.md``."""
    n_frames = sum(len(task.frames) for task in project.tasks)
    done = "selects" if project.round == 1 else "inspects"
    name = printable_name(project.annotators[0])
    after = (
        "Afterwards another expert inspects the selection: "
        "`fgbench annotate frames --tool label-studio --expert NAME --inspect`."
        if project.round == 1
        else "Afterwards `fgbench prepare` takes the frames that were confirmed."
    )
    return "\n".join(
        [
            f"# {printable_name(project.dataset)}: frames near key frames",
            "",
            f"{name} {done} {counted(n_frames, 'frame')} of {counted(len(project.tasks), 'clip')}. Project "
            f"`{project.project}`. Keep `{PROJECT}`: the import needs it.",
            "",
            "```",
            "fgbench annotate push --data-root ROOT --project THIS-FOLDER --url http://localhost:8080 "
            "--token-file token.txt",
            "fgbench annotate pull --data-root ROOT --project THIS-FOLDER --url http://localhost:8080 "
            "--token-file token.txt",
            "```",
            "",
            "Or by hand: a project with `labelling.xml`, local files below this folder, `tasks.json` "
            "imported, and afterwards its export as JSON with `fgbench annotate frames --import "
            f"export.json`. The account's name, or its address up to the @, is {name}. {after}",
            "",
        ]
    )
