"""The classes that weights are for."""

from __future__ import annotations

from fgbench.models.weights import check_classes
from fgbench.runs.labels import FG33, LabelSet, fg33, named_labels
from fgbench.runs.weights import Trained


def labels_of(trained: Trained) -> LabelSet:
    """The label set that weights tell of: the 33 leaves unless they name another.

    Raises:
        ManifestError: If they tell of none, or of other classes than the set they name has.
    """
    name, origin = str(trained.metadata.get("scheme", FG33)), str(trained.path)
    if name == FG33:
        check_classes(trained.metadata, fg33().labels, origin=origin)
        return fg33()
    known = trained.metadata
    return named_labels(
        name, known.get("classes") or (), upper=known.get("upper"), origin=f"the weights of {origin}"
    )
