"""What every recipe says once it is read, value for value: packed ones and those that are defaults.

A recipe names few of its settings; the others are the defaults of fgbench, which are the paper's where it
states them. Neither may change by accident. After a change that is meant, write the files anew and read the
difference::

    FGBENCH_WRITE_GOLDEN=1 python -m pytest tests/catalogue/test_recipe_values.py
    git diff tests/catalogue/golden
"""

import difflib
import json
import os
import re
from pathlib import Path

import pytest

from fgbench.catalogue.recipes import read_recipe, recipe_cards

GOLDEN = Path(__file__).parent / "golden"
CARDS = recipe_cards()
AGAIN = (
    "if the change is meant: FGBENCH_WRITE_GOLDEN=1 python -m pytest tests/catalogue/test_recipe_values.py, "
    "and git diff tests/catalogue/golden"
)


def golden_file(card):
    return GOLDEN / card.kind / f"{card.name}.txt"


def flat(value, name=""):
    """``section.key`` and value, in the order of the sections; lists are one value."""
    if not isinstance(value, dict) or not value:
        yield name, value
        return
    for key, inner in value.items():
        yield from flat(inner, f"{name}.{key}" if name else key)


def resolved(card):
    """All settings of a recipe, a line each, but for its description in words."""
    settings = read_recipe(card).model_dump(mode="json")
    settings.pop("description", None)
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in flat(settings)]
    return "\n".join([f"# fgbench {card.command}", *lines]) + "\n"


@pytest.mark.parametrize("card", CARDS, ids=lambda card: f"{card.kind}-{card.name}")
def test_a_recipe_has_the_values_that_it_had(card):
    path, actual = golden_file(card), resolved(card)
    if os.environ.get("FGBENCH_WRITE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(actual, encoding="utf-8")
    expected = path.read_text(encoding="utf-8") if path.is_file() else ""
    difference = difflib.unified_diff(
        expected.splitlines(), actual.splitlines(), f"{card.name} as it was", f"{card.name} as it is", n=0
    )
    assert actual == expected, "\n".join(["", *difference, AGAIN])


@pytest.mark.parametrize(
    "card",
    [card for card in CARDS if not card.name.startswith("lbp-svm")],
    ids=lambda card: f"{card.kind}-{card.name}",
)
def test_scores_in_headers_are_of_three_seeds_or_say_that_they_are_not(card):
    """Those of LBP+SVM have none: nothing of it is drawn."""
    for reported in re.split(r"(?<=[.:;)]) (?=[A-Z])", " ".join(card.header.split())):
        if re.search(r"(UAR|F1) 0\.\d", reported):
            assert "one seed" in reported or ("seeds 0 to 2" in reported and " ± " in reported), reported


def test_no_recipe_has_gone():
    written = {path.relative_to(GOLDEN).as_posix() for path in GOLDEN.rglob("*.txt")}
    gone = written - {golden_file(card).relative_to(GOLDEN).as_posix() for card in CARDS}
    assert not gone, (
        f"no recipe of these names any more: {sorted(gone)}; delete their files, if that is meant"
    )
