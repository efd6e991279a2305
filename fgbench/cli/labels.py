"""``fgbench labels``: the label sets, and the classes of a work folder."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fgbench.cli import completion
from fgbench.cli.console import print_json, say
from fgbench.cli.options import Json
from fgbench.cli.workdirs import one_of, workdir_option
from fgbench.workfolders.layout import MANIFESTS

if TYPE_CHECKING:
    from fgbench.taxonomy import Ontology


def labels(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[SET|WORKDIR]",
            help="Show this label set alone, a class a line; or the classes of this work folder.",
            show_default="all",
            autocompletion=completion.label_set,
        ),
    ] = None,
    workdir: Annotated[
        Path | None,
        workdir_option("Show the classes of this work folder.", "none"),
    ] = None,
    json: Json = False,
) -> None:
    """List the classes: the 33 with their upper classes, the other label sets, or those of a work folder."""
    from fgbench.taxonomy import FG33, FREE, UNLABELLED, ontology, ontology_names

    if name is not None and name not in ontology_names() and Path(name).is_dir():
        (workdir,) = one_of([Path(name)], [] if workdir is None else [workdir])
        name = None
    if workdir is not None:
        if name is not None:
            raise typer.BadParameter("a work folder has one label set; name none", param_hint="[SET]")
        _show_classes(_classes_of(workdir), json=json)
        return
    if name is not None:
        chosen = ontology(name)
        if json:
            print_json(_as_json(chosen))
        else:
            for line in _singly(chosen):
                say(line)
        return
    names = sorted(ontology_names(), key=lambda one: (one != FG33, one))
    sets = [ontology(one) for one in names if one not in (FREE, UNLABELLED)]
    if json:
        print_json([_as_json(one) for one in sets])
        return
    for one in sets:
        for line in _together(one):
            say(line)
    say("one of them with its other spellings: fgbench labels SET")


def _together(chosen: Ontology) -> list[str]:
    """Lines on a label set: its classes below their upper classes, where these differ."""
    head = f"{chosen.name}: {len(chosen.labels)} classes. {chosen.description}"
    groups: dict[str, list[str]] = {}
    for label in chosen.labels:
        upper, valence = chosen.basic_and_valence(label)
        grouped = f"{upper} ({valence})" if upper is not None and _is_fine(chosen) else ""
        groups.setdefault(grouped, []).append(label)
    width = max(len(group) + 2 if group else 0 for group in groups)
    return [head, *(f"  {group:<{width}}{', '.join(members)}" for group, members in groups.items())]


def _singly(chosen: Ontology) -> list[str]:
    """Lines on a label set, one per class: upper class, valence, and other spellings."""
    width = max((len(label) for label in chosen.labels), default=0)
    lines = [f"{chosen.name}: {len(chosen.labels)} classes. {chosen.description}"]
    for entry in _as_json(chosen)["classes"]:
        words = [f"{entry['upper']}, {entry['valence']}"] if entry["upper"] and _is_fine(chosen) else []
        if entry["spellings"]:
            words.append(f"also: {', '.join(entry['spellings'])}")
        if entry["leaves"] not in ([], [entry["label"]]):
            words.append(f"of the 33: {', '.join(entry['leaves'])}")
        lines.append(f"  {entry['label']:<{width}}  {'; '.join(words)}".rstrip())
    return lines


def _is_fine(chosen: Ontology) -> bool:
    """Whether its classes are leaves, which have upper classes."""
    return all(leaf == label for leaf, label in chosen.from_leaf.items())


def _as_json(chosen: Ontology) -> dict[str, Any]:
    classes = []
    for label in chosen.labels:
        upper, valence = chosen.basic_and_valence(label)
        classes.append(
            {
                "label": label,
                "upper": upper,
                "valence": valence,
                "spellings": sorted(one for one, meant in chosen.aliases.items() if meant == label),
                "leaves": [leaf for leaf, meant in chosen.from_leaf.items() if meant == label],
            }
        )
    return {"name": chosen.name, "description": chosen.description, "classes": classes}


def _classes_of(workdir: Path) -> dict[str, Any]:
    """Classes of a work folder, with numbers of clips in each part."""
    from fgbench.records import SPLITS
    from fgbench.runs.labels import read_labels
    from fgbench.runs.samples import clip_samples
    from fgbench.workfolders.manifest_index import read_index

    index = read_index(workdir)
    label_set = read_labels(index)
    counts = Counter((sample.label, sample.part) for sample in clip_samples(workdir / MANIFESTS))
    upper = label_set.basic or (None,) * len(label_set.labels)
    return {
        "name": label_set.name,
        "data_set": index["dataset"],
        "classes": [
            {"label": label, "upper": above, "clips": {part: counts[label, part] for part in SPLITS}}
            for label, above in zip(label_set.labels, upper, strict=True)
        ],
    }


def _show_classes(label_set: dict[str, Any], *, json: bool) -> None:
    if json:
        print_json(label_set)
        return
    classes = label_set["classes"]
    say(f"{label_set['data_set']}: {len(classes)} classes, label set {label_set['name']}; numbers of clips")
    if not classes:
        return
    width = max(len("class"), *(len(entry["label"]) for entry in classes))
    above = max((len(entry["upper"] or "") for entry in classes), default=0)
    above = max(len("upper class"), above) + 2 if above else 0
    parts = list(classes[0]["clips"])
    head = f"{'  upper class' if above else '':<{above}}"
    say(f"  {'class':<{width}}{head}" + "".join(f"{part:>7}" for part in parts))
    for entry in classes:
        numbers = "".join(f"{entry['clips'][part]:>7,}" for part in parts)
        group = f"{'  ' + (entry['upper'] or '') if above else '':<{above}}"
        say(f"  {entry['label']:<{width}}{group}{numbers}")
