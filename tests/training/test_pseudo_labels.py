"""Pseudo labels of action units: every result, card and table of what knows them says so."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from fgbench.inference.unit_transfer import evaluate_units_elsewhere
from fgbench.methods.action_units import run as au_run
from fgbench.methods.action_units.frames import UnitData
from fgbench.methods.msau import run as image_run
from fgbench.methods.steps import units
from fgbench.models.weights import load_weights
from fgbench.records import UnitSource
from fgbench.reports.protocols import knowledge_notes, reservations
from fgbench.reports.run.seed_scores import au_seed_table
from fgbench.reports.run.unit_scores import au_table
from fgbench.runs.results import read_result
from fgbench.runs.unit_results import read_au_result
from fgbench.runs.weights import read_trained
from tests.support.tiny_work import RESIZE_PX, au_recipe, au_rows, context_in, image_recipe, small_work

OPENFACE = UnitSource(pseudo="OpenFace", lines=("PSEUDO labels of OpenFace",))
TRAINED = "action units were trained on PSEUDO labels, no person's: those of OpenFace on made up"
TESTED = "tested on PSEUDO labels, no person's: those of OpenFace on made up"


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pseudo")
    return context_in(folder / "work", small_work(folder / "made"))


@pytest.fixture(scope="module")
def pseudo_run(context):
    (folder,) = au_run.run(au_recipe(name="au-pseudo"), context, au_rows(context.manifests), source=OPENFACE)
    return folder


@pytest.fixture(scope="module")
def people_run(context):
    (folder,) = au_run.run(au_recipe(), context, au_rows(context.manifests))
    return folder


@pytest.mark.slow
def test_the_run_its_weights_card_and_tables_tell(pseudo_run, people_run):
    details = read_au_result(pseudo_run)["details"]
    assert details["pseudo_labels"] == {"made up": "OpenFace"}
    assert details["notes"] == [TRAINED, TESTED]
    _, metadata = load_weights(pseudo_run / "weights.safetensors")
    assert metadata["pseudo_labels"] == {"made up": "OpenFace"}
    assert f"- Labels: {TESTED[0].upper()}{TESTED[1:]}." in (pseudo_run / "README.md").read_text()
    table = au_table([pseudo_run])
    assert "action units (PSEUDO labels of OpenFace), test" in table.title
    assert f"{TRAINED[0].upper()}{TRAINED[1:]}." in table.notes
    seeds = au_seed_table([pseudo_run])
    assert "(PSEUDO labels of OpenFace)" in seeds.title
    assert any("PSEUDO" in note for note in seeds.notes)
    details = read_au_result(people_run)["details"]
    assert "pseudo_labels" not in details
    assert "PSEUDO" not in json.dumps([details, load_weights(people_run / "weights.safetensors")[1]])
    assert "PSEUDO" not in (people_run / "README.md").read_text() + au_table([people_run]).title


@pytest.mark.slow
def test_a_run_that_was_not_marked_is_made_again(context, people_run):
    before = (people_run / "au_result.json").stat().st_mtime_ns
    (again,) = au_run.run(au_recipe(), context, au_rows(context.manifests))
    assert (again / "au_result.json").stat().st_mtime_ns == before
    other = replace(context, workdir=context.workdir)
    (marked,) = au_run.run(au_recipe(), other, au_rows(context.manifests), source=OPENFACE)
    assert marked == people_run
    assert read_au_result(marked)["details"]["pseudo_labels"] == {"made up": "OpenFace"}
    au_run.run(au_recipe(), context, au_rows(context.manifests))


@pytest.mark.slow
def test_what_starts_from_its_trunk_tells_too(context, pseudo_run):
    config = image_recipe(au_recipe="au-pseudo")
    (folder,) = image_run.run(config, context, pseudo_run / "weights.safetensors")
    result = read_result(folder)
    assert result["details"]["notes"] == [TRAINED]
    assert "PSEUDO" in (folder / "README.md").read_text()
    assert load_weights(folder / "weights.safetensors")[1]["pseudo_labels"] == {"made up": "OpenFace"}
    assert any("PSEUDO" in note for note in reservations(result["details"]))
    assert knowledge_notes([("a", result["details"]), ("b", {}), ("c", result["details"])]) == [
        f"a, c: {TRAINED[0].upper()}{TRAINED[1:]}."
    ]


@pytest.mark.slow
def test_tested_elsewhere(tmp_path, context, pseudo_run, people_run):
    changes = {"manifest_digest": "two", "details": {"dataset": "two", "synthetic": True}}
    other = context_in(tmp_path / "two", context.manifests, **changes)
    rows = au_rows(context.manifests)
    actual = evaluate_units_elsewhere(
        read_trained(pseudo_run / "weights.safetensors"), UnitData(context=other, rows=rows, people="two")
    )
    details = read_au_result(actual)["details"]
    assert details["notes"] == [TRAINED]
    assert "PSEUDO" not in au_table([actual]).title, "its test labels are people's"
    data = UnitData(context=other, rows=rows, people="two", source=OPENFACE)
    actual = evaluate_units_elsewhere(read_trained(people_run / "weights.safetensors"), data)
    details = read_au_result(actual)["details"]
    assert details["pseudo_labels"] == {"two": "OpenFace"}
    assert details["notes"] == [TESTED.replace("made up", "two")]
    assert "(PSEUDO labels of OpenFace)" in au_table([actual]).title


@pytest.mark.slow
def test_the_command_finds_the_source_and_says_it(tmp_path, context):
    """The adapter of the work folder's data set is asked; what it says is told."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "annotations.csv").write_text("clip,label\na,anger\n")
    (root / "action_units.csv").write_text("clip,frame,AU12_c,success\na,1,1,1\n")
    messages = []
    actual = context_in(tmp_path / "work", context.manifests, note=messages.append)
    kept = json.loads((actual.workdir / "prepare.json").read_text())
    (actual.workdir / "prepare.json").write_text(json.dumps({**kept, "root": str(root)}))
    data = units.unit_data(actual)
    assert data.source.pseudo == "OpenFace"
    assert [row.labels for row in data.rows] == [{"au12": 1}]
    assert any("PSEUDO labels of OpenFace" in line for line in messages)


def test_units_without_labels_and_labels_without_units_are_told(context):
    messages = []
    context = replace(context, note=messages.append)
    data = UnitData(context=context, rows=iter(au_rows(context.manifests)), people="p")
    (kept,) = units.note_units([data], ["au04", "au25"])
    assert list(kept.rows) == au_rows(context.manifests)
    assert messages == [
        "labelled, but not among the recipe's action_units: au12, au99",
        "no frame is labelled for au25: these outputs stay as they are drawn",
    ]


@pytest.mark.slow
def test_a_network_that_trains_along_on_pseudo_labels_tells_too(context, people_run):
    config = image_recipe(
        name="along",
        losses={"units": 1.0, "rank": 0.0, "alternate": False},
        data={"resize_px": RESIZE_PX},
        optimiser={"epochs": 1, "batch": 8},
    )
    rows = au_rows(context.manifests)
    (folder,) = image_run.run(
        config, context, people_run / "weights.safetensors", units=rows, source=OPENFACE
    )
    assert read_result(folder)["details"]["notes"] == [TRAINED]
    assert load_weights(folder / "weights.safetensors")[1]["pseudo_labels"] == {"made up": "OpenFace"}
