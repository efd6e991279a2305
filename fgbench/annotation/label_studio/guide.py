"""``README.md`` of a round: what the person who runs the annotation does with its files."""

from __future__ import annotations

from fgbench.annotation.project_file import PROJECT, Project
from fgbench.annotation.shares import pair_counts
from fgbench.naming import counted
from fgbench.printable import printable_name

_SHOWN = 20
"""Annotators up to whom all pairs are listed."""


def guide(project: Project, *, root: str, serves: str, is_inside: bool) -> str:
    """Return the text.

    Args:
        project: The round.
        root: What the document root of local files is, in words.
        is_inside: Whether the folder is that of the round in the data set.
        serves: Folder below the document root that Label Studio has to be allowed to serve.
    """
    named = f"--data-root ROOT --round {project.round}"
    if not is_inside:
        named = "--data-root ROOT --project THIS-FOLDER"
    clips = counted(len(project.tasks), "clip")
    lines = [
        f"# {_plain(project.dataset)}: round {project.round} of annotation",
        "",
        f"{clips}, {counted(len(project.annotators), 'annotator')}, {project.per_clip} votes on each clip"
        + (
            f"; {counted(len(project.gold), 'clip')} with known answers among them, voted on by all"
            if project.gold
            else ""
        )
        + f". Shown as {project.show}. Project `{project.project}`, seed {project.seed}.",
        "",
        "| File | Holds |",
        "|---|---|",
        "| `labelling.xml` | the labelling configuration |",
        "| `tasks.json` | the tasks, in the order in which they are to be shown |",
        f"| `{PROJECT}` | who votes on what, classes, digests; keep it, the import needs it |",
        *(["| `strips/` | frames of the clips |"] if project.show == "strips" else []),
        *(
            ["| `clips/` | the clips under names that tell nothing |"]
            if project.hide_names and project.show == "clips"
            else []
        ),
        "",
        "## With a server that you reach",
        "",
        "```",
        f"fgbench annotate push {named} --url http://localhost:8080 --token-file token.txt",
        f"fgbench annotate pull {named} --url http://localhost:8080 --token-file token.txt",
        "```",
        "",
        "`ROOT` is the folder of the data set. The token is that of your account (Account & Settings). "
        "Push sends the media, too, and makes a tab for each annotator.",
        "",
        "## By hand",
        "",
        "1. Start Label Studio with `LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true` and "
        f"`LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT` set to {root}.",
        "2. Make a project; in its settings paste `labelling.xml` (Labeling Interface, Code), and add a "
        f"local storage for `{serves}` below that root (Cloud Storage), without syncing it.",
        "3. Import `tasks.json`.",
        "4. Afterwards export all annotations as JSON (not JSON-MIN, which lacks skipped tasks), and run "
        "`fgbench annotate import export.json --data-root ROOT`.",
        "",
        "## Afterwards",
        "",
        "`fgbench prepare --data-root ROOT` settles the votes, and tells which clips are voted on again. "
        "Pull, import and prepare may be run as often as you like.",
        "",
        "## Who votes on what",
        "",
        "Every annotator has an account; its e-mail address, the part before the @, or its name is the "
        "annotator's name here (else `--annotator ACCOUNT=NAME` at the import, as of all "
        "exports by hand, which number the accounts). The free edition of Label "
        "Studio deals no tasks: each annotator opens the tab of his or her name, or filters the tasks by "
        "`annotators` containing `|NAME|`, and presses Label All Tasks. Votes of others are refused at the "
        "import. Ask annotators not to look at the answers of others, which this edition shows in its list.",
        "",
        "| Annotator | Clips | Shares with each other |",
        "|---|---|---|",
    ]
    n = len(project.annotators)
    counts = pair_counts([task.annotators for task in project.tasks], n)
    for one, name in enumerate(project.annotators):
        others = [counts[one][other] for other in range(n) if other != one]
        if n <= _SHOWN:
            shared = ", ".join(
                f"{_plain(project.annotators[other])} {counts[one][other]}"
                for other in range(n)
                if other != one
            )
        else:
            shared = f"{min(others)} to {max(others)}"
        lines.append(f"| {_plain(name)} | {counts[one][one]} | {shared or 'nobody'} |")
    return "\n".join([*lines, ""])


def _plain(name: str) -> str:
    """A name on one line of a table of Markdown."""
    shown = printable_name(name)
    return "".join(f"\\{sign}" if sign in "\\|`*_[]<>#" else sign for sign in shown)
