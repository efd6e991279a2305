"""The classes that weights are for."""

from __future__ import annotations

from fgbench.models.weights import check_classes
from fgbench.runs.labels import FG33, LabelSet, fg33, named_labels
from fgbench.runs.weights import Trained


def labels_of(trained: Trained) -> LabelSet:
    """Return the label set that weights name: the 33 leaves unless they name another.

    Raises:
        ManifestError: If they name no classes, or others than their set has.
    """
    metadata, origin = trained.metadata, str(trained.path)
    name = str(metadata.get("scheme", FG33))
    if name == FG33:
        check_classes(metadata, fg33().labels, origin=origin)
        return fg33()
    return named_labels(
        name, metadata.get("classes") or (), upper=metadata.get("upper"), origin=f"the weights of {origin}"
    )
