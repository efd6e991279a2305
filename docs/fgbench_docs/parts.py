"""The generated parts of pages, by the names that pages call them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fgbench_docs import (
    api,
    commands,
    data_sets,
    errors,
    labels,
    measured,
    paper,
    plug_ins,
    recipes,
    rejects,
    settings,
)

PARTS: Mapping[str, Callable[[], str]] = {
    "api": api.members,
    "classes": labels.classes,
    "commands": commands.reference,
    "coverage": measured.coverage,
    "data-sets": data_sets.cards,
    "errors": errors.reference,
    "exit-codes": errors.exit_codes,
    "frame-statuses": rejects.frame_statuses,
    "label-sets": labels.label_sets,
    "method-recipes": recipes.method_recipes,
    "paper-not-stated": paper.not_stated,
    "paper-print": paper.print_faults,
    "paper-sections": recipes.sections,
    "plug-in-names": plug_ins.names,
    "reject-reasons": rejects.reasons,
    "score-formats": plug_ins.score_formats,
    "settings": settings.reference,
}
