"""The classes and label sets, from the taxonomy."""

from __future__ import annotations

from fgbench.taxonomy import leaves, ontology, ontology_names
from fgbench_docs.markdown import code, prose, table


def classes() -> str:
    """A table of the 33 classes by upper class and valence."""
    groups: dict[tuple[str, str], list[str]] = {}
    for leaf in leaves():
        groups.setdefault((leaf.valence, leaf.basic), []).append(leaf.name)
    return table(
        ["Valence", "Upper class", "Classes"],
        [[valence, upper, ", ".join(map(code, found))] for (valence, upper), found in groups.items()],
    )


def label_sets() -> str:
    """A table of the label sets: name, number of classes, classes."""
    rows = []
    for name in ontology_names():
        labels = ontology(name).labels
        shown = ", ".join(labels) if len(labels) <= 12 else ""
        rows.append([code(name), str(len(labels)) if labels else "", prose(shown)])
    return table(["Label set", "Classes", ""], rows)
