"""Networks on classes of a data set's own, in folds, from trained networks; and tested zero-shot."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from typer.testing import CliRunner

from fgbench import records, storage
from fgbench.cli.app import app
from fgbench.errors import ConfigError, ManifestError
from fgbench.methods._networks.initial_weights import build
from fgbench.methods.action_units import run as au_run
from fgbench.methods.msau import run as image_run
from fgbench.methods.msau.opened import open_network
from fgbench.models.weights import load_weights
from fgbench.runs.division_reading import read_division
from fgbench.runs.labels import read_labels
from fgbench.runs.predictions import read_predictions
from fgbench.runs.results import read_result, verify, write_run
from fgbench.runs.unit_results import read_au_result
from fgbench.runs.weights import read_trained
from fgbench.taxonomy import leaf, ontology
from tests.support.divided_work import EKMAN7, FIVE_FOLD, described, ekman_index, write_work
from tests.support.page_reading import blocks
from tests.support.tiny_manifests import picture
from tests.support.tiny_runs import write_tiny_weights
from tests.support.tiny_work import FAST, au_recipe, context_in, image_recipe, plain_recipe, small_work
from tests.support.tiny_work import au_rows as rows_by_colour

THREE = FIVE_FOLD | {"folds": 3, "label": "3-fold by subject"}
CPU = torch.device("cpu")


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def ekman(tmp_path_factory):
    """A seven-class set of four persons in three folds; a neutral frame has no face, a clip has no frames."""
    folder = tmp_path_factory.mktemp("ekman") / "work"
    index = ekman_index(protocol=THREE)
    write_work(folder, described(subjects=4), pictures=True, no_face=("s4-neutral",), **index)
    lost = {"id": "s4-lost", "stage": "ingest", "reason": "truncated", "label": "fear", "subject_id": "s4"}
    table = pa.Table.from_pylist([lost], schema=records.schema("published_rejects"))
    storage.write_table(folder / "manifests" / "rejects.parquet", table)
    return folder


def divided_context(folder, work, fold, **changes):
    """A context with the manifests of a work folder, in one of its folds."""
    index = storage.read_json(work / "manifests" / "index.json")
    context = context_in(folder, work / "manifests", **changes)
    division = read_division(context.workdir, index)
    details = {"dataset": index["dataset"], "synthetic": True, "protocol": division.to_json()}
    more = {"labels": read_labels(index), "division": division, "details": details}
    fields = {name: getattr(context, name) for name in context.__dataclass_fields__}
    return type(context)(**fields | more).with_fold(fold)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A network of the 33 leaves on a frozen trunk: the folder of its run."""
    folder = tmp_path_factory.mktemp("source")
    manifests = small_work(folder)
    context = context_in(folder / "work", manifests)
    (trunk,) = au_run.run(au_recipe(optimiser=FAST | {"epochs": 1}), context, rows_by_colour(manifests))
    (run,) = image_run.run(image_recipe(), context, trunk / "weights.safetensors")
    return run


@pytest.fixture
def fgbench(monkeypatch):
    monkeypatch.setattr("fgbench.methods.steps.contexts.ensure_features", lambda *arguments, **options: None)

    def run(*words, code=0):
        done = CliRunner().invoke(app, [str(word) for word in words])
        assert done.exit_code == code, done.output
        return done

    return run


@pytest.mark.slow
def test_a_network_is_trained_fold_by_fold_on_the_sets_own_classes(ekman, tmp_path, fgbench):
    work = tmp_path / "work"
    context_in(work, ekman / "manifests")
    recipe = tmp_path / "tiny.yaml"
    losses = {"fine": 1.0, "basic": 0.5, "rank": 0.0, "alternate": False}
    config = plain_recipe(optimiser=FAST | {"epochs": 1}, losses=losses)
    recipe.write_text(yaml.safe_dump(config.model_dump(mode="json")))
    train = ("train", "msau", "--workdir", work, "--recipe", recipe, "--device", "cpu")
    assert "fold by fold" not in fgbench(*train, "--fold", "2").stdout
    done = fgbench(*train, "--full")
    assert "| all, pooled | 29 | 2 |" in done.stdout
    assert "tiny-cnn: 1 test samples are of clips that could not be read (ingest truncated 1)" in done.stdout
    folders = sorted((work / "runs" / "tiny-cnn").glob("*/0"))
    assert [folder.parent.name for folder in folders] == ["1", "2", "3"]
    persons = [set(read_predictions(folder).subject_ids) for folder in folders]
    assert persons == [{"s1", "s4"}, {"s2"}, {"s3"}]
    for folder in folders:
        verify(folder)
        state, metadata = load_weights(folder / "weights.safetensors")
        assert (metadata["classes"], metadata["scheme"], metadata["basic"]) == (list(EKMAN7), "ekman7", [])
        assert state["scales.0.fine.weight"].shape[0] == 7
        assert not any(".basic." in name for name in state)
        details = read_result(folder)["details"]
        assert details["notes"] == ["losses.basic taken as 0: label set ekman7 has no upper classes"]
        assert yaml.safe_load((folder / "config.yaml").read_text())["losses"]["basic"] == 0.0
    assert "Losses.basic taken as 0: label set ekman7 has no upper classes." in done.stdout
    again = fgbench("evaluate", folders[0], "--device", "cpu")
    assert "the predictions of 13 images are equal to those of the run" in again.stdout


@pytest.mark.slow
def test_action_units_are_trained_on_no_test_person(ekman, tmp_path):
    context = divided_context(tmp_path / "work", ekman, "1")
    clips = pq.read_table(ekman / "manifests" / "clips.parquet", columns=["clip_id", "label"]).to_pylist()
    rows = [
        records.AuRow(clip_id=row["clip_id"], frame_index=0, labels={"au04": 1 if row["label"] < "g" else -1})
        for row in clips
    ]
    config = au_recipe(action_units=("au04",), optimiser=FAST | {"epochs": 1})
    (folder,) = au_run.run(config, context, rows)
    assert folder == context.workdir / "runs" / "au-tiny" / "1" / "0"
    assert read_au_result(folder)["n"] == 13
    assert set(pq.read_table(folder / "au_predictions.parquet")["subject_id"].to_pylist()) == {"s1", "s4"}
    (other,) = au_run.run(config, context.with_fold("2"), rows)
    first, second = (load_weights(path / "weights.safetensors")[0] for path in (folder, other))
    assert not torch.equal(first["trunk.conv1.weight"], second["trunk.conv1.weight"])


@pytest.mark.slow
def test_fine_tuning_starts_from_all_but_the_classifiers(source, ekman, tmp_path, fgbench):
    work = tmp_path / "work"
    context_in(work, ekman / "manifests")
    given, _ = load_weights(source / "weights.safetensors")
    config = image_recipe(losses={"basic": 0.0})
    index = storage.read_json(ekman / "manifests" / "index.json")
    trained = read_trained(source / "weights.safetensors")
    begun = build(config, trained, seed=0, labels=read_labels(index)).state_dict()
    heads = {name for name in begun if ".fine." in name}
    assert begun["scales.0.fine.weight"].shape[0] == 7
    for name in begun.keys() - heads:
        assert torch.equal(begun[name], given[name]), name
    done = fgbench("train", "msau", "--init", source, "--workdir", work, "--fold", "1", "--device", "cpu")
    folder = work / "runs" / "tiny-fine-tuned" / "1" / "0"
    assert f"run: {folder}" in done.stdout
    state, metadata = load_weights(folder / "weights.safetensors")
    assert metadata["classes"] == list(EKMAN7)
    for name in (name for name in state if name.startswith("trunk.")):
        assert torch.equal(state[name], given[name]), f"{name} is frozen"
    embedding = [name for name in state if ".embedding." in name]
    assert all(not torch.equal(state[name], given[name]) for name in embedding)
    details = read_result(folder)["details"]
    assert details["transfer"] == {
        "kind": "fine-tuned",
        "run": "tiny/0/0",
        "sha256": trained.digest,
        "dataset": "made up",
        "synthetic": True,
        "scheme": "fg33",
    }
    assert details["method"] == "MSAU-Net (Ours)"
    before = (folder / "result.json").read_bytes()
    fgbench("train", "msau", "--init", source, "--workdir", work, "--fold", "1", "--device", "cpu")
    assert (folder / "result.json").read_bytes() == before, "it is there already"


@pytest.mark.slow
def test_what_one_cannot_start_from(source, ekman, tmp_path):
    context = divided_context(tmp_path / "work", ekman, "1")
    trained = read_trained(source / "weights.safetensors")
    network = image_recipe().network.model_dump() | {"embedding": 16}
    with pytest.raises(ConfigError, match="is of another network than recipe tiny: embedding differ"):
        image_run.run(image_recipe(network=network), context, None, init=trained)
    with pytest.raises(ConfigError, match="both weights of action units and a trained network"):
        image_run.run(image_recipe(), context, source / "weights.safetensors", init=trained)
    with pytest.raises(ConfigError, match="trains several networks"):
        image_run.run(image_recipe(region_counts=(1, 2)), context, None, init=trained)
    units = write_tiny_weights(tmp_path / "au.safetensors", kind="insightface")
    with pytest.raises(ManifestError, match="of kind 'insightface', expected 'image' to start from"):
        image_run.run(image_recipe(), context, None, init=read_trained(units))


@pytest.mark.slow
def test_starting_from_a_network_that_knows_test_clips_is_refused(ekman, tmp_path):
    context = divided_context(tmp_path / "work", ekman, "1")
    config = plain_recipe(optimiser=FAST | {"epochs": 1})
    (folder,) = image_run.run(config, context, None)
    trained = read_trained(folder / "weights.safetensors")
    tuned = image_run.fine_tuned(config)
    message = r"tiny-cnn/1/0 was trained on 7 of the test clips of .*, fold 2; expected none"
    with pytest.raises(ConfigError, match=message):
        image_run.run(tuned, context.with_fold("2"), None, init=trained)
    (again,) = image_run.run(tuned, context, None, init=trained)
    assert again == context.workdir / "runs" / "tiny-cnn-fine-tuned" / "1" / "0"


@pytest.mark.slow
def test_a_network_of_leaves_is_tested_on_six_classes(source, ekman, tmp_path, fgbench):
    work = tmp_path / "work"
    context_in(work, ekman / "manifests")
    done = fgbench("evaluate", source, "--workdir", work, "--device", "cpu")
    folder = work / "runs" / "tiny-on-ck-plus" / "0" / "0"
    assert f"run: {folder}" in done.stdout
    assert "samples left out, which have no class among the six: 4 of neutral" in done.stdout
    verify(folder)
    predictions, result = read_predictions(folder), read_result(folder)
    assert predictions.classes == (*ontology("ekman6").labels, "love")
    assert len(predictions.sample_ids) == 4 * 6 + 1, "the lost clip of a fold is tested with all folds"
    assert "neutral" not in predictions.labels
    # The class of the likeliest leaf, worked out again from each scale's own probabilities.
    names = ontology("fg33").labels
    rows = pq.read_table(folder / "branches.parquet").to_pylist()
    by_sample: dict[str, list] = {}
    for row in rows:
        by_sample.setdefault(row["sample_id"], []).append(row["probabilities"])
    said_of = dict(zip(predictions.sample_ids, predictions.predicted, strict=True))
    assert said_of.pop("s4-lost-f00000") is None
    for name, reported in said_of.items():
        likeliest = names[int(np.mean(by_sample[name], axis=0).argmax())]
        assert reported == ("disgust" if likeliest == "disgust" else leaf(likeliest).basic)
    details = result["details"]
    assert details["transfer"]["kind"] == "zero-shot"
    assert details["transfer"]["dropped"] == {"neutral": 4}
    assert details["transfer"]["method"] == "MSAU-Net (Ours)"
    assert details["protocol"]["folds"] == ["0"]
    assert details["clips_trained_on"] == 0
    assert [link["part"] for link in details["chain"]] == ["action units"], "what the network was made of"
    assert (result["metrics"]["n"], result["metrics"]["n_missing"]) == (25, 1)


@pytest.mark.slow
def test_the_page_shows_a_network_of_leaves_on_six_classes(source, ekman, tmp_path, fgbench):
    """What each scale says is shown in the six classes; the paper's numbers of the 33 are not."""
    work = tmp_path / "work"
    context_in(work, ekman / "manifests")
    fgbench("evaluate", source, "--workdir", work, "--device", "cpu")
    six, shown = (*ontology("ekman6").labels, "love"), samples_of(work)
    write_run(work, shown, experiment="lbp-svm", fold="0", seed=0, config={}, manifest_digest="m",
              device="cpu", details={"dataset": "ck", "synthetic": True, "method": "LBP+SVM"})  # fmt: skip
    fgbench("report", "--html", "--workdir", work, "--out", tmp_path / "page.html")
    actual = blocks((tmp_path / "page.html").read_text())
    runs = {run["experiment"]: (context, run) for context, run in enumerate(actual["overview"]["runs"])}
    assert set(runs) == {"lbp-svm", "tiny-on-ck-plus"}
    assert actual["overview"]["faults"] == []
    assert {run["paper"] for _, run in runs.values()} == {None}
    assert {actual[f"run-{context}"]["paper"] for context, _ in runs.values()} == {None}
    context, _ = runs["tiny-on-ck-plus"]
    names, folder = ontology("fg33").labels, work / "runs" / "tiny-on-ck-plus" / "0" / "0"
    expected: dict[int, dict[str, int]] = {}
    for row in pq.read_table(folder / "branches.parquet").to_pylist():
        output = names[int(np.argmax(row["probabilities"]))]
        output = "disgust" if output == "disgust" else leaf(output).basic
        expected.setdefault(row["branch"], {})[row["sample_id"]] = six.index(output)
    ids = read_predictions(folder).sample_ids
    reported = [one["predicted"] for one in actual[f"run-{context}"]["opinions"]]
    assert reported == [[output.get(name, -1) for name in ids] for _, output in sorted(expected.items())]


def samples_of(work):
    """Predictions of a run on six classes, all of them right."""
    read = read_predictions(work / "runs" / "tiny-on-ck-plus" / "0" / "0")
    six = ontology("ekman6").labels
    shares = np.eye(6, dtype=np.float32)[[six.index(label) for label in read.labels]]
    return replace(read, classes=six, predicted=read.labels, probabilities=shares)


def test_a_network_of_other_classes_is_refused(source, tmp_path, fgbench):
    compound = write_work(
        tmp_path / "raf",
        described(("sadly_angry", "happily_surprised"), subjects=3, part="test"),
        scheme="raf-compound",
        classes=["sadly_angry", "happily_surprised"],
    )
    failed = fgbench("evaluate", source, "--workdir", compound, "--device", "cpu", code=3)
    assert "tells 33 classes of fg33 apart" in failed.stderr
    assert "--init" in failed.stderr


@pytest.mark.slow
def test_a_network_without_upper_classes_is_asked(tmp_path, fgbench):
    network = {"network": {"zooms": 0}}
    path = write_tiny_weights(
        tmp_path / "w.safetensors",
        has_basic=False,
        n_fine=7,
        classes=list(EKMAN7),
        scheme="ekman7",
        **network,
    )
    asked = open_network(read_trained(path), CPU)
    assert (asked.classes, asked.upper, asked.has_basic_head) == (EKMAN7, (), False)
    answer = asked.predict_faces(np.stack([picture(number) for number in range(2)]))
    assert answer.fine.shape == (2, 7)
    assert answer.basic.shape == (2, 0)
    done = fgbench("export", path, "--onnx", tmp_path / "w.onnx")
    assert "onnx: " in done.stdout
    wrong = write_tiny_weights(
        tmp_path / "x.safetensors", has_basic=False, n_fine=7, classes=["a", "a"], scheme="mine"
    )
    with pytest.raises(ManifestError, match="expected two or more different names"):
        open_network(read_trained(wrong), CPU)


@pytest.mark.slow
def test_json_of_folds_is_one_document(ekman, tmp_path, fgbench):
    work = tmp_path / "work"
    context_in(work, ekman / "manifests")
    recipe = tmp_path / "tiny.yaml"
    recipe.write_text(yaml.safe_dump(plain_recipe(optimiser=FAST | {"epochs": 1}).model_dump(mode="json")))
    done = fgbench(
        "baseline", "plain-cnn", "--workdir", work, "--recipe", recipe, "--device", "cpu", "--json"
    )
    report = json.loads(done.stdout)
    assert report["pooled"]["n"] == 29
    assert sorted(report["folds"]) == ["1", "2", "3"]
