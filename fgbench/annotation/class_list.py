"""Classes that annotators choose from: those of a recipe, with their upper classes."""

from __future__ import annotations

from dataclasses import dataclass

from fgbench.annotation.answers import RESERVED
from fgbench.catalogue.classes import choose_classes
from fgbench.config import PrepareConfig
from fgbench.errors import ConfigError
from fgbench.taxonomy import FREE, Ontology, normal_label, ontology, with_classes


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassList:
    """Classes with their upper classes.

    Attributes:
        scheme: Name of the label set.
        classes: ``(class, upper class)`` in order; the upper class is empty where there is none.
    """

    scheme: str
    classes: tuple[tuple[str, str], ...]

    @property
    def label_set(self) -> Ontology:
        """Label set in which answers are looked up."""
        return with_classes(ontology(self.scheme), [name for name, _ in self.classes])

    def find(self, label: str) -> str | None:
        """Return a class as the list spells it; ``None`` if it is none of the list."""
        names = {normal_label(name): name for name, _ in self.classes}
        wanted = normal_label(label)
        return names.get(wanted) or names.get(normal_label(self.label_set.aliases.get(wanted, "")))


def classes_of(recipe: PrepareConfig) -> ClassList:
    """Return the classes of a recipe: those that it lists, else those of its label set.

    Raises:
        ConfigError: If they depend on the labels of the data, which there are none of yet; or if one is
            called as a reserved answer.
    """
    chosen = choose_classes(recipe.dataset, ())
    if not chosen.labels:
        raise ConfigError(
            f"recipe {recipe.name} has no classes before there are votes (label set {chosen.scheme})",
            "list them in a recipe, dataset: {scheme: " + FREE + ", classes: [...]}, and name it with "
            "--recipe",
        )
    reserved = [name for name in chosen.labels if normal_label(name) in RESERVED]
    if reserved:
        raise ConfigError(
            f"recipe {recipe.name} has a class {reserved[0]!r}, which is a reserved answer",
            "call the class otherwise: votes for it would count for none",
        )
    labels = chosen.label_set
    pairs = [
        (name, chosen.upper.get(name) or labels.basic_and_valence(name)[0] or "") for name in chosen.labels
    ]
    if all(upper in ("", name) for name, upper in pairs):
        pairs = [(name, "") for name, _ in pairs]
    return ClassList(scheme=chosen.scheme, classes=tuple(pairs))
