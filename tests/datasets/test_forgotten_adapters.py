"""Every adapter is tried from files to a table (`recipe_cases.py`); of others, what to add is told."""

import sys

import pytest

from fgbench import datasets as adapters
from fgbench import plugins
from fgbench.config import load_prepare, recipe_names
from fgbench.reports.paper import numbers as paper
from fgbench.taxonomy import ontology
from tests.support.recipe_cases import CASES, UNITS

TRIED = {load_prepare(name).dataset.adapter for name in (*[case.recipe for case in CASES], *UNITS)}
FINE = "fg_emotions"  # has the 33 classes, which are Table II, and a test of its own there


def asked_for(adapter):
    """What is to be added for an adapter that no recipe is tried of from files to a table, to be copied."""
    typed = adapter.replace("_", "-")
    recipes = [name for name in recipe_names("prepare") if load_prepare(name).dataset.adapter == adapter]
    if not recipes:
        return f"add pipelines/prepare/{typed}.yaml, a recipe with dataset: {{adapter: {typed}}}"
    write = (
        f"from tests.support.layouts.{adapter} import write_{adapter}"
        "  # writes files in its layout, the labels as colours"
    )
    card = plugins.load("datasets", adapter).CARD
    if card.kind == "au":
        added = f'"{recipes[0]}": write_{adapter},  # in UNITS'
    else:
        n_classes = len(ontology(card.variant().scheme).labels)
        column = paper.benchmark_column("table3", recipes[0], n_classes)
        added = (
            f'Case(recipe="{recipes[0]}", write=write_{adapter}, classes={n_classes}, '
            f'column="{column or paper.benchmark_title(recipes[0], n_classes)}"'
            f"{'' if column else ', **OWN'}),  # in CASES; changes=AS_THEY_ARE where faces would be searched"
        )
    return f"add to tests/support/recipe_cases.py:\n{write}\n{added}"


@pytest.mark.parametrize("adapter", plugins.names("datasets"))
def test_no_adapter_is_forgotten(adapter):
    assert adapter in {*TRIED, FINE}, asked_for(adapter)


ADAPTER = '''"""Made up."""

from fgbench.datasets._card import Card, Variant

CARD = Card(
    title="MIMES-S (made up)", kind="KIND", licence="", citation="", request="", protocol="", layouts=(),
    variants=(Variant(scheme="ekman7"),),
)
'''


@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        (
            "image",
            [
                "from tests.support.layouts.mimes_s import write_mimes_s",
                'Case(recipe="mimes-s", write=write_mimes_s, classes=7, column="MIMES-S", **OWN),',
            ],
        ),
        ("au", ['"mimes-s": write_mimes_s,  # in UNITS']),
    ],
)
def test_what_is_to_be_added_for_an_adapter_is_said(tmp_path, monkeypatch, kind, lines):
    (tmp_path / "mimes_s.py").write_text(ADAPTER.replace("KIND", kind))
    monkeypatch.setattr(adapters, "__path__", [*adapters.__path__, str(tmp_path)])
    try:
        assert asked_for("mimes_s").startswith("add pipelines/prepare/mimes-s.yaml, a recipe with")
        recipe = load_prepare("folder").model_copy(
            update={"dataset": load_prepare("folder").dataset.model_copy(update={"adapter": "mimes_s"})}
        )
        monkeypatch.setitem(globals(), "recipe_names", lambda _: ["mimes-s"])
        monkeypatch.setitem(globals(), "load_prepare", lambda _: recipe)
        reported = asked_for("mimes_s")
    finally:
        sys.modules.pop("fgbench.datasets.mimes_s", None)
    for line in lines:
        assert line in reported
