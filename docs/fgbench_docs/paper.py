"""The paper's gaps and misprints, from the recipes' documentation and from its numbers."""

from __future__ import annotations

from fgbench.config.described import in_yaml
from fgbench.reports.paper import numbers
from fgbench.reports.paper.methods import MSAU
from fgbench_docs.markdown import code, prose, table
from fgbench_docs.settings import KINDS, keys

_NOT_STATED = "not stated in the paper"
_ROUNDING = 5e-4


def not_stated() -> str:
    """A table of all settings that the paper leaves open, with what fgbench takes."""
    rows: dict[tuple[str, str], list[str]] = {}
    for recipe, command in KINDS.items():
        for key in keys(recipe):
            if key.is_section or _NOT_STATED not in key.doc.lower():
                continue
            value = code(in_yaml(key.value))
            rows.setdefault((key.path, key.doc), [code(key.path), value, prose(key.doc), code(command)])
    return table(["Setting", "We take", "What it is", "Of"], rows.values())


def print_faults() -> str:
    """Sentences on the numbers of the paper that cannot be as printed, or contradict each other."""
    table2 = numbers.table2()
    lines = [
        f"- Table II, {prose(one.method)}, {prose(one.label)}: printed {code(one.printed)}, "
        f"read as {one.value:.3f}."
        for one in table2.repairs
    ]
    for number, shares in (("VI", numbers.confusion("table6")), ("VII", numbers.confusion("table7"))):
        for label in shares.classes:
            mine, other = shares.shares[label, label], table2.accuracies[MSAU.source, MSAU.name][label]
            if abs(mine - other) > _ROUNDING:
                lines.append(
                    f"- {prose(label)}: the diagonal of Table {number} has {mine:.3f}, Table II has "
                    f"{other:.3f} for {prose(MSAU.name)}."
                )
    return "\n".join(lines) + "\n"
