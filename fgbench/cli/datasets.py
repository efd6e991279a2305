"""``fgbench datasets`` and ``fgbench check DATASET --root DIR``: the data sets, and the survey of one."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fgbench.cli.console import print_json, say
from fgbench.cli.options import Json
from fgbench.naming import counted

if TYPE_CHECKING:
    from fgbench.catalogue.survey import Survey

_WIDTH = 12
"""Characters of a column of numbers."""


def datasets(
    root: Annotated[
        Path | None,
        typer.Option(
            "--root",
            help="Folder with one folder for each data set, named as its recipe.",
            show_default="the folder that FGBENCH_DATA names",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List the data sets that fgbench reads: recipes, layouts, licence, where to ask, what is here."""
    from fgbench import plugins
    from fgbench.catalogue.data_roots import VARIABLE, remembered_root
    from fgbench.catalogue.listing import recipes_by_adapter
    from fgbench.errors import DatasetError

    if root is not None and not root.is_dir():
        raise DatasetError(f"no folder {root}", "name the folder that holds the data sets")
    rows: list[dict[str, Any]] = []
    for adapter, recipes in recipes_by_adapter().items():
        card = plugins.load("datasets", adapter).CARD
        package = plugins.package_of("datasets", adapter)
        names = [recipe.name for recipe in recipes]
        folder = remembered_root(adapter, *names, base=root)
        rows.append(
            {
                "adapter": adapter,
                **({"package": package} if package else {}),
                "title": card.title,
                "kind": card.kind,
                "recipes": names,
                "label_sets": sorted({recipe.dataset.scheme for recipe in recipes}),
                "layouts": list(card.layouts),
                "protocol": card.protocol,
                "licence": card.licence,
                "citation": card.citation,
                "request": card.request,
                "unconfirmed": list(card.unconfirmed),
                "found": None if folder is None else str(folder),
            }
        )
    if json:
        print_json(rows)
        return
    for row in rows:
        package = f"; of the package {row['package']}" if "package" in row else ""
        say(f"{row['adapter']}: {row['title']} ({row['kind']}{package})")
        for name in ("recipes", "layouts", "protocol", "licence", "request", "found"):
            value = row[name]
            text = "; ".join(value) if isinstance(value, list) else value
            say(f"{name:>10}: {text or 'not on this machine'}")
    say(f"found: below --root, or below the folder that the environment variable {VARIABLE} names")
    say("next: fgbench check RECIPE --root DIR, then fgbench prepare RECIPE --data-root DIR")


def check_data(recipe: str, root: Path, *, json: bool) -> None:
    """Print the survey of a data set, beside the published numbers."""
    from fgbench.catalogue.diagnosis import recipe_of_tables
    from fgbench.catalogue.survey import survey
    from fgbench.config import load_prepare

    config = load_prepare(recipe)
    data = survey(config, root)
    if json:
        print_json({**asdict(data), "differences": data.differences, "is_complete": data.is_complete})
        return
    for line in described(data, recipe):
        say(line)
    named = recipe_of_tables(root, config.dataset.adapter) or recipe
    say(f"next: fgbench prepare {quote(named)} --data-root {quote(str(root))}")


def described(data: Survey, recipe: str) -> list[str]:
    """Lines for people on a survey.

    Args:
        data: The survey.
        recipe: Name or file of the recipe, as the user gave it.
    """
    subjects = f" of {counted(data.subjects, 'subject')}" if data.subjects else ""
    lines = [
        f"{data.recipe}: {data.title}",
        f"{counted(data.entries, 'entry', 'entries')}{subjects} in {data.root}",
    ]
    if data.inventory.media:
        media = counted(data.inventory.media, "picture or video", "pictures and videos")
        lines.append(f"{data.inventory.used:,} of {media} are used")
    lines.append("")

    parts = list(data.counts)
    labels = list(dict.fromkeys(label for counts in data.counts.values() for label in counts))
    width = max(len(label) for label in (*labels, "label")) + 1
    lines.append(f"{data.scheme:<{width}}" + "".join(f"{part:>{_WIDTH}}" for part in parts))
    for label in labels:
        numbers = "".join(f"{data.counts[part].get(label, 0):>{_WIDTH}}" for part in parts)
        lines.append(f"{label:<{width}}{numbers}")
    totals = "".join(f"{sum(data.counts[part].values()):>{_WIDTH}}" for part in parts)
    lines.append(f"{'sum':<{width}}{totals}")
    if data.known:
        numbers = "".join(f"{data.known.get(part, '?'):>{_WIDTH}}" for part in parts)
        lines.append(f"{'published':<{width}}{numbers}")
    lines.append("")
    lines += [f"left out by the label set: {count} of {label}" for label, count in data.left_out.items()]
    lines += [f"cannot be used: {count} ({reason})" for reason, count in data.problems.items()]
    if data.missing:
        lines.append(f"missing files: {data.missing}, e.g. {', '.join(data.missing_examples)}")
    if data.unlisted:
        lines.append(f"files without a label: {data.unlisted}, e.g. {', '.join(data.unlisted_examples)}")
    lines += [*data.notes, *data.inventory.lines]
    lines += [f"differs: {line}" for line in data.differences]
    if data.is_complete:
        lines.append("complete" if data.known else "nothing is missing (published numbers are not known)")
    elif not data.known:
        lines.append("incomplete: see above; what is there can be prepared")
    else:
        lines.append(
            "not as published: see above; what is there can be prepared, and tables of it should say so"
        )
    return lines
