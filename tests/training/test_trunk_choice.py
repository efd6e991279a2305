"""Trunks that are not the recipe's: drawn values, those of a plain CNN; and what is told of drawn faces."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import yaml
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.config import TrainImageConfig, load_training
from fgbench.errors import ConfigError, ManifestError
from fgbench.methods._networks.chain import drawn_start
from fgbench.methods._networks.initial_weights import build
from fgbench.methods._networks.trunk_choice import from_scratch, on_trunk_of
from fgbench.methods.action_units import run as au_run
from fgbench.methods.msau import run as image_run
from fgbench.models.weights import load_weights
from fgbench.reports.protocols import fairness_notes
from fgbench.reports.run.scores import scores_table
from fgbench.runs.results import read_result
from fgbench.runs.weights import read_trained
from tests.support.tiny_work import (
    FAST,
    RESIZE_PX,
    TRUNK,
    au_recipe,
    au_rows,
    context_in,
    image_recipe,
    plain_recipe,
    small_work,
    with_three_leaves,
)

REAL = {"dataset": "photographs", "synthetic": False}
ONE = FAST | {"epochs": 1}


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def manifests(tmp_path_factory):
    return with_three_leaves(small_work(tmp_path_factory.mktemp("work"), rest=False))


@pytest.fixture(scope="module")
def context(tmp_path_factory, manifests):
    return context_in(tmp_path_factory.mktemp("made") / "work", manifests)


@pytest.fixture(scope="module")
def units(context):
    (folder,) = au_run.run(au_recipe(optimiser=ONE), context, au_rows(context.manifests))
    return folder / "weights.safetensors"


@pytest.fixture(scope="module")
def plain(context):
    (folder,) = image_run.run(plain_recipe(name="tiny-cnn", optimiser=ONE), context, None)
    return read_trained(folder / "weights.safetensors")


@pytest.mark.slow
def test_a_trunk_of_drawn_values_trains_as_an_experiment_of_its_own(context):
    config = from_scratch(image_recipe(optimiser=ONE))
    assert (config.name, config.method) == ("tiny-from-scratch", "MSAU-Net (Ours), from scratch")
    assert not config.data.keep_maps
    (folder,) = image_run.run(config, context, None)
    assert folder.parts[-3] == "tiny-from-scratch"
    after, _ = load_weights(folder / "weights.safetensors")
    first = build(config, None, seed=0, labels=context.labels).state_dict()
    assert all(not torch.equal(after[name], first[name]) for name in first if name.startswith("trunk.conv"))
    assert read_result(folder)["details"]["chain"] == []


@pytest.mark.slow
def test_the_trunk_of_a_plain_cnn_begins_as_it_is_there(context, plain):
    """The region layer, which that has not, changes nothing until it trains."""
    config = on_trunk_of(image_recipe(optimiser=ONE), plain)
    assert (config.name, config.method) == ("tiny-on-tiny-cnn-trunk", "MSAU-Net (Ours), trunk of Plain CNN")
    assert config.frozen == "none"
    model = build(config, plain, seed=0, trunk_only=True).eval()
    other = build(plain_recipe(), plain, seed=0, trunk_only=True).eval()
    faces = torch.randn((2, 3, 112, 112), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(model.trunk(faces), other.trunk(faces))
        assert model.trunk(faces).abs().max() > 0
    (folder,) = image_run.run(config, context, None, trunk=plain)
    after, _ = load_weights(folder / "weights.safetensors")
    assert after["trunk.region.conv.weight"].abs().max() > 0, "it trains"
    assert not torch.equal(after["trunk.conv4.weight"], plain.state["trunk.conv4.weight"])
    details = read_result(folder)["details"]
    assert [link["run"] for link in details["chain"]] == [plain.name]
    assert details["trunk"] == plain.digest
    assert "transfer" not in details


@pytest.mark.slow
def test_a_recipe_that_unfreezes_does_so_on_any_trunk(plain):
    known = {"trunk": TRUNK, "fc_hidden": None, "embedding": 8}
    later = image_recipe(network=known | {"unfreeze_after": 1, "unfreeze_rate": 0.5})
    config = on_trunk_of(later, plain)
    assert (config.frozen, config.network.unfreeze_after) == ("trunk", 1)
    assert config.data.keep_maps
    assert TrainImageConfig.model_validate(config.model_dump()) == config
    drawn = from_scratch(later)
    assert (drawn.frozen, drawn.network.unfreeze_after, drawn.data.keep_maps) == ("none", None, False)
    assert TrainImageConfig.model_validate(drawn.model_dump()) == drawn


@pytest.mark.slow
def test_what_does_not_fit_is_refused(context, plain, units):
    wide = image_recipe(network={"trunk": TRUNK | {"stem": 8}, "fc_hidden": None, "embedding": 8})
    with pytest.raises(ConfigError, match="another trunk than recipe tiny: stem differ"):
        on_trunk_of(wide, plain)
    with pytest.raises(ManifestError, match="kind 'au', expected 'image'"):
        on_trunk_of(image_recipe(), read_trained(units))
    joint = image_recipe(losses={"units": 0.5}, data={"resize_px": RESIZE_PX})
    for changed in (lambda: from_scratch(joint), lambda: on_trunk_of(joint, plain)):
        with pytest.raises(ConfigError, match="trains on action units"):
            changed()
    with pytest.raises(ConfigError, match="expected one of them"):
        image_run.run(on_trunk_of(image_recipe(), plain), context, units, trunk=plain)


@pytest.mark.slow
def test_drawn_units_under_other_faces_are_told_at_the_start_and_in_every_table(manifests, units, tmp_path):
    messages = []
    context = context_in(tmp_path / "real", manifests, details=REAL, note=messages.append)
    config = image_recipe(optimiser=ONE, data={"resize_px": RESIZE_PX})
    (folder,) = image_run.run(config, context, units)
    (line,) = [one for one in messages if "SYNTHETIC" in one]
    assert line.startswith("tiny starts from weights of SYNTHETIC faces (action units au-tiny/0/0)")
    assert "\n" not in line
    assert "--au-weights" in line
    assert "--trunk" in line
    result = read_result(folder)
    (link,) = result["details"]["chain"]
    assert (link["dataset"], link["synthetic"]) == ("made up", True)
    (note,) = [one for one in fairness_notes([("tiny", result)]) if "SYNTHETIC" in one]
    assert note == (
        "tiny: starts from weights of SYNTHETIC faces (action units); that drawn faces help on these was "
        "not shown."
    )
    assert note in scores_table(folder).notes
    card = (folder / "README.md").read_text()
    assert "Made from: action units au-tiny/0/0, trained on made up (SYNTHETIC data: drawn faces)" in card

    tuned = image_run.fine_tuned(config)
    (again,) = image_run.run(tuned, context, None, init=read_trained(folder / "weights.safetensors"))
    assert [one["synthetic"] for one in read_result(again)["details"]["chain"]] == [False, True]
    assert fairness_notes([("tuned", read_result(again))])


@pytest.mark.slow
def test_weights_alone_tell_where_they_are_from(manifests, units, tmp_path):
    copy = tmp_path / "elsewhere.safetensors"
    copy.write_bytes(units.read_bytes())
    messages = []
    context = context_in(tmp_path / "real", manifests, details=REAL, note=messages.append)
    image_run.run(image_recipe(optimiser=ONE), context, copy)
    assert any("SYNTHETIC faces (action units elsewhere.safetensors)" in one for one in messages)


def test_a_network_of_clips_names_the_way_that_it_has():
    chain = [{"part": "image model", "run": "tiny/0/0", "synthetic": False}]
    assert drawn_start(chain, REAL, instead="do that") is None
    chain.append({"part": "action units", "run": "au/0/0", "synthetic": True})
    line = drawn_start(chain, REAL, instead="do that")
    assert "(action units au/0/0)" in line
    assert line.endswith("; do that")
    assert drawn_start(chain, REAL | {"synthetic": True}, instead="do that") is None


@pytest.mark.slow
def test_on_drawn_faces_nothing_is_said(context, units):
    messages = []
    (folder,) = image_run.run(image_recipe(optimiser=ONE), replace(context, note=messages.append), units)
    assert not any("SYNTHETIC" in one for one in messages)
    assert not any("SYNTHETIC" in one for one in fairness_notes([("tiny", read_result(folder))]))


@pytest.mark.slow
def test_the_command_takes_a_trunk_or_none(context, plain, tmp_path):
    recipe = tmp_path / "tiny.yaml"
    recipe.write_text(yaml.safe_dump(image_recipe(optimiser=ONE).model_dump(mode="json")))

    def train(*words):
        shared = ["--recipe", recipe, "--workdir", context.workdir, "--device", "cpu", "--jobs", "1"]
        return CliRunner().invoke(app, ["train", "msau", *map(str, [*shared, *words])])

    done = train("--trunk", "tiny-cnn")
    assert done.exit_code == 0, done.output
    assert (context.workdir / "runs" / "tiny-on-tiny-cnn-trunk" / "0" / "0" / "result.json").is_file()
    done = train("--trunk", "none")
    assert done.exit_code == 0, done.output
    assert (context.workdir / "runs" / "tiny-from-scratch" / "0" / "0" / "result.json").is_file()
    refused = train("--trunk", "none", "--init", "tiny-cnn")
    assert refused.exit_code == 2
    assert "--trunk" in refused.output


def test_packed_recipes_start_from_the_plain_cnn_of_their_size():
    for size in ("", "-small"):
        msau, plain = (load_training(f"{row}{size}", TrainImageConfig) for row in ("msau", "plain-cnn"))
        wanted = plain.network.trunk.model_copy(update={"region_layer": True})
        assert msau.network.trunk == wanted
