"""Names of the runs that test networks on other data: no two networks share one."""

import json

import pytest

from fgbench.errors import ConfigError
from fgbench.inference.picture_test import evaluate_images
from fgbench.methods._networks.transfer_names import experiment_elsewhere, training_details
from fgbench.methods.msau.opened import open_network
from fgbench.runs.predictions import read_predictions
from fgbench.runs.results import read_result
from fgbench.runs.weights import read_trained
from fgbench.training.device import resolve
from tests.support.tiny_runs import write_tiny_weights
from tests.support.tiny_work import THREE, context_in, small_work

pytestmark = pytest.mark.usefixtures("one_thread")
MANIFESTS = {"a": "1" * 64, "b": "2" * 64}


@pytest.fixture
def context(tmp_path):
    manifests = small_work(tmp_path / "prepared")
    return context_in(tmp_path / "work", manifests, details={"dataset": "others", "synthetic": True})


def network(folder, *, seed=0, **more):
    """A network of one's own, of one name whatever the folder; its values differ by folder."""
    path = write_tiny_weights(folder / "w.safetensors", seed=seed, note=folder.name, **more)
    return open_network(read_trained(path), resolve("cpu"))


def trained_on(name, *, recipe="r", seed=0):
    return {
        "manifest_digest": MANIFESTS[name],
        "config_digest": recipe,
        "details": {"dataset": name},
        "seed": seed,
    }


def write_tested(context, experiment, trained, source, *, seed=0):
    """The result of a run that tests a network, as far as its name is concerned."""
    folder = context.workdir / "runs" / experiment / "0" / str(seed)
    folder.mkdir(parents=True)
    weights = {**training_details(trained, source), "sha256": trained.digest}
    (folder / "result.json").write_text(json.dumps({"details": {"weights": weights}}))


@pytest.mark.slow
def test_a_second_network_of_that_name_leaves_the_run_of_the_first(tmp_path, context):
    first, second = network(tmp_path / "one"), network(tmp_path / "two")
    one, _ = evaluate_images(first, context)
    before = (one / "result.json").read_bytes()
    two, _ = evaluate_images(second, context)
    assert one.parts[-3] == "tiny-on-others"
    assert two.parts[-3].startswith("tiny-on-others-")
    assert (one / "result.json").read_bytes() == before
    assert read_result(two)["details"]["weights"]["sha256"] == second.trained.digest
    assert [evaluate_images(each, context)[0] for each in (first, second)] == [one, two]


@pytest.mark.slow
def test_all_seeds_of_a_training_share_a_name(tmp_path, context):
    at = {
        (name, seed): network(tmp_path / f"{name}{seed}", seed=seed).trained
        for name in "ab"
        for seed in (0, 1)
    }
    write_tested(context, "tiny-on-others", at["a", 0], trained_on("a"))
    names = {
        (name, seed): experiment_elsewhere(each, trained_on(name, seed=seed), context, seed=seed)
        for (name, seed), each in at.items()
    }
    assert names["a", 0] == names["a", 1] == "tiny-on-others"
    assert names["b", 0] == names["b", 1] != "tiny-on-others"


@pytest.mark.slow
@pytest.mark.parametrize(("recipe", "is_plain"), [("r", True), ("s", False)])
def test_other_settings_on_the_same_data_are_another_training(tmp_path, context, recipe, is_plain):
    first, second = (network(tmp_path / name, seed=seed).trained for seed, name in enumerate("ab"))
    write_tested(context, "tiny-on-others", first, trained_on("a"))
    name = experiment_elsewhere(second, trained_on("a", recipe=recipe), context, seed=1)
    assert (name == "tiny-on-others") is is_plain


@pytest.mark.slow
def test_other_weights_of_the_same_training_and_seed_are_refused(tmp_path, context):
    first, second = network(tmp_path / "a").trained, network(tmp_path / "b").trained
    write_tested(context, "tiny-on-others", first, trained_on("a"))
    with pytest.raises(ConfigError, match=r"scores of other weights.*nothing was changed"):
        experiment_elsewhere(second, trained_on("a"), context, seed=0)


@pytest.mark.slow
def test_results_of_earlier_versions_tell_no_settings(tmp_path, context):
    trained = network(tmp_path / "a").trained
    write_tested(context, "tiny-on-others", trained, trained_on("a"))
    path = context.workdir / "runs/tiny-on-others/0/0/result.json"
    report = json.loads(path.read_text())
    del report["details"]["weights"]["config_digest"]
    path.write_text(json.dumps(report))
    assert experiment_elsewhere(trained, trained_on("a"), context, seed=0) == "tiny-on-others"


@pytest.mark.slow
def test_a_damaged_run_is_in_nobodys_way(tmp_path, context):
    folder = context.workdir / "runs/tiny-on-others/0/0"
    folder.mkdir(parents=True)
    (folder / "result.json").write_text("[1, 2")
    trained = network(tmp_path / "a").trained
    assert experiment_elsewhere(trained, trained_on("a"), context, seed=0) == "tiny-on-others"


def test_a_network_of_the_33_is_tested_on_some_of_them(tmp_path):
    """In its own classes: what it takes for a class that the data lack is wrong, and the table says so."""
    manifests = small_work(tmp_path / "prepared", rest=False)
    details = {"dataset": "three", "synthetic": True}
    context = context_in(tmp_path / "work", manifests, details=details, labels=THREE)
    net = network(tmp_path / "net")
    folder, _ = evaluate_images(net, context)
    result = read_result(folder)
    table = read_predictions(folder)
    assert table.classes == net.classes
    assert len(table.classes) == 33
    assert set(table.labels) == set(THREE.labels)
    right = sum(label == predicted for label, predicted in zip(table.labels, table.predicted, strict=True))
    assert result["metrics"]["war"] == pytest.approx(right / len(table.labels))
    assert result["metrics"]["n_classes"] == 3
    (note,) = [line for line in result["details"]["notes"] if "apart" in line]
    assert note == "The network tells 33 classes apart, of which 3 are here; any other is wrong."


def test_a_network_of_some_classes_is_refused_where_there_are_more(tmp_path, context):
    three = {"n_fine": 3, "classes": list(THREE.labels), "scheme": "three", "has_basic": False}
    net = network(tmp_path / "net", **three)
    with pytest.raises(
        ConfigError, match=r"3 classes of three apart, but .* has 33 of fg33, expected the same or some"
    ):
        evaluate_images(net, context)
