"""``insightface`` with a narrow IResNet: runs, frozen and fine-tuned; weights; resuming."""

import json
import os
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import skimage.data
import torch
import yaml
from typer.testing import CliRunner

from fgbench import records
from fgbench.cli.app import app
from fgbench.config import FacesConfig, InsightFaceConfig, load_baseline, recipe_names
from fgbench.errors import ConfigError, DatasetError, ManifestError
from fgbench.faces.geometry import mean_face
from fgbench.faces.still_picture import ImageFrame
from fgbench.inference.onnx_export import export_onnx
from fgbench.inference.picture_test import evaluate_images
from fgbench.inference.pictures import predict_file
from fgbench.inputs.crops import draw_views
from fgbench.inputs.resident import Resident
from fgbench.media.images import encode
from fgbench.methods._networks import fitting, image_roles
from fgbench.methods.insightface import method as insightface
from fgbench.methods.insightface.crops import load_crops
from fgbench.methods.insightface.task import FaceSet, FaceTask, see_crops, see_features
from fgbench.methods.protocol import FacePosition
from fgbench.methods.protocol.kinds import open_trained
from fgbench.models.initialisation import initialise
from fgbench.models.iresnet import FaceHead, IResNet, IResNetClassifier, iresnet
from fgbench.models.weights import load_weights
from fgbench.reports.tables import table2
from fgbench.runs.predictions import read_predictions
from fgbench.runs.results import read_result, verify
from fgbench.runs.weights import read_trained
from fgbench.taxonomy import ontology
from fgbench.training.context import TrainingContext
from fgbench.training.losses import arcface_logits
from fgbench.workfolders import default_folders
from tests.support.one_writer import forced_runs_start_anew, other_processes_write_no_run
from tests.support.tiny_manifests import image_row, write_faces, write_images
from tests.support.tiny_work import GREY, REST

CPU = torch.device("cpu")
CLASSES = {"anger": (200, 40, 40), "panic": (40, 200, 40), "relief": (40, 40, 200)}
PARTS = ("train",) * 4 + ("val",) * 2 + ("test",) * 2
FAST = {"learning_rate": 0.003, "batch": 4, "epochs": 6, "patience": 6}


def narrow(_depth=50, _width=1.0):
    # torch 2.13 crashes in 1 x 1 convolutions with stride 2 of up to 8 channels that lie last in memory.
    return IResNet((1, 1, 1, 1), widths=(16, 16, 16, 16))


@pytest.fixture(autouse=True)
def _narrow(monkeypatch):
    monkeypatch.setattr(insightface, "iresnet", narrow)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def config(**changes):
    plain = {"name": "insightface", "method": "InsightFace", "head_rate": 0.03, "optimiser": FAST}
    plain["crops"] = "stored"  # the work folder has no videos to cut wider faces from
    return InsightFaceConfig.model_validate(plain | changes)


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A work folder whose classes are colours: 12 training images and a copy, 6 to choose on, 6 to test.

    A grey training image of each of the other 30 leaves lets all be trained on."""
    folder = tmp_path_factory.mktemp("work")
    points = np.zeros((68, 2))
    points[17:] = (mean_face() + 0.25) / 1.5 * 224 - 0.5
    clips, faces, images = [], [], []
    shown = [(label, colour, part) for label, colour in CLASSES.items() for part in PARTS]
    shown += [(label, GREY, "train") for label in REST]
    for context, (label, colour, part) in enumerate(shown):
        noise = np.random.default_rng(3 * context).integers(0, 50, (8, 8, 3), np.uint8)
        smooth = cv2.resize(noise, (224, 224), interpolation=cv2.INTER_LINEAR)
        row = image_row(3 * context, part=part, label=label, data=encode(smooth + np.uint8(colour), "png", 0))
        clips.append({**{key: row[key] for key in ("clip_id", "label", "split")}, "subject_id": part})
        about = {"role": "image", "status": "ok", "transform": [1.0, 0, 0, 0, 1.0, 0]}
        keys = {key: row[key] for key in ("clip_id", "frame_index")}
        faces.append({**keys, **about, "landmarks": points.ravel().tolist()})
        images.append(row)
    change = {"rotation_deg": 5.0, "scale": 1.0, "noise_sigma": 0.0, "noise_seed": 1}
    copy = {**images[0], "image_id": "copy", "parent_id": images[0]["image_id"], "augmentation": change}
    manifests = folder / "manifests"
    write_faces(manifests, faces)
    write_images(manifests, [*images, copy])
    seen = 3 * len(PARTS) - 1
    clips.append({**clips[seen], "clip_id": "unseen"})  # a test frame without a face, which counts as wrong
    faces.append({**faces[seen], "clip_id": "unseen", "status": "no_face", "landmarks": None})
    write_faces(manifests, faces)
    pq.write_table(pa.Table.from_pylist(clips, schema=records.schema("clips")), manifests / "clips.parquet")
    (manifests / "index.json").write_text(json.dumps({"dataset": "made up", "synthetic": True, "files": {}}))
    return folder


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Weights with the names of arcface_torch, as torch.save writes them."""
    net = narrow()
    initialise(net, torch.Generator().manual_seed(3))
    path = tmp_path_factory.mktemp("weights") / "backbone.pth"
    torch.save(net.state_dict(), path)
    return path


@pytest.fixture
def context(work, tmp_path):
    """A work folder of the test's own."""
    shutil.copytree(work / "manifests", tmp_path / "manifests")
    return TrainingContext(
        workdir=tmp_path,
        manifest_digest="m",
        details={"dataset": "made up", "synthetic": True},
        seed=0,
        device=CPU,
        resume=True,
        force=False,
        jobs=1,
        progress=lambda name, done, of: None,
    )


def network(folder, head="softmax"):
    """The network of a run, put together by the test."""
    state, metadata = load_weights(folder / "weights.safetensors")
    model = IResNetClassifier(narrow(), FaceHead(33, kind=head)).eval()
    model.load_state_dict(state)
    return model, metadata


@pytest.mark.slow
@pytest.mark.parametrize(
    ("freeze", "head"), [(True, "softmax"), (True, "arcface"), (False, "softmax"), (False, "arcface")]
)
def test_a_run_from_given_weights(context, weights, freeze, head):
    rate = {"head_rate": 0.1} if head == "arcface" else {}
    messages = []
    folder = insightface.run(
        config(freeze_backbone=freeze, head=head, arcface_scale=16.0, **rate),
        replace(context, note=messages.append),
        weights,
    )
    verify(folder)
    assert sum(line.startswith("epoch ") and "validation UAR " in line for line in messages) > 1
    result, predictions = read_result(folder), read_predictions(folder)
    details = result["details"]
    assert (details["method"], details["kind"], details["n_train"]) == ("InsightFace", "image", 43)
    assert details["weights"] == insightface.digest_weights(weights)
    assert result["metrics"]["n"] == 7
    assert result["metrics"]["n_missing"] == 1
    assert result["metrics"]["uar"] > 0.6, "three colours are told apart"
    for name in ("history.json", "README.md", "log"):
        assert (folder / name).exists()
    assert not (folder / "checkpoint.pt").exists()
    assert f"SHA-256 {details['weights']}" in (folder / "README.md").read_text()
    assert "112 x 112" in (folder / "README.md").read_text()

    model, metadata = network(folder, head)
    model.head.scale = 16.0
    assert metadata["kind"] == "insightface"
    assert metadata["classes"] == list(ontology("fg33").labels)
    seen = [n for n, label in enumerate(predictions.predicted) if label is not None]
    crops = load_crops(context.manifests, [predictions.sample_ids[n] for n in seen], device=CPU)
    with torch.no_grad():
        expected = model((crops.float() / 255 - 0.5) / 0.5).softmax(1)
    # What is kept of a frozen backbone is float16.
    np.testing.assert_allclose(predictions.probabilities[seen], expected, atol=5e-3 if freeze else 1e-5)

    given = torch.load(weights, weights_only=True)
    same = {name: torch.equal(value, given[name]) for name, value in model.backbone.state_dict().items()}
    assert all(same.values()) if freeze else not same["layer1.0.conv1.weight"]
    assert same["features.weight"], "its scale is fixed"


@pytest.mark.slow
def test_features_of_a_frozen_backbone_are_computed_once(context, weights, monkeypatch):
    calls = []
    forward = IResNet.forward
    monkeypatch.setattr(IResNet, "forward", lambda self, x: calls.append(len(x)) or forward(self, x))
    frozen = config(freeze_backbone=True)
    first = insightface.run(frozen, context, weights)
    assert sum(calls) == 2 * 43 + 6 + 6  # training images mirrored too
    calls.clear()
    other = insightface.run(frozen, context.with_seed(1), weights)
    insightface.run(config(freeze_backbone=True, name="arc", head="arcface"), context, weights)
    assert calls == []
    assert other != first
    unlike = weights.with_name("unlike.pth")
    torch.save({name: value * 1.01 for name, value in torch.load(weights).items()}, unlike)
    assert insightface.run(frozen, context, unlike) == first
    assert sum(calls) == 2 * 43 + 6 + 6


@pytest.mark.slow
def test_a_finished_run_is_that_of_its_weights_and_recipe(context, weights, monkeypatch):
    trained = []
    fit = fitting.fit
    monkeypatch.setattr(
        fitting, "fit", lambda *args, **more: trained.append(more["fingerprint"]) or fit(*args, **more)
    )
    short = config(optimiser=FAST | {"epochs": 1})
    insightface.run(short, context, weights)
    insightface.run(short, context, weights)
    assert len(trained) == 1
    insightface.run(short, replace(context, force=True), weights)
    assert trained[1] == trained[0]
    other = weights.with_name("other.pth")
    torch.save({"state_dict": {f"module.{k}": v + 0 for k, v in torch.load(weights).items()}}, other)
    insightface.run(short, context, other)
    plain = short.model_copy(update={"flip": False})
    with pytest.raises(ConfigError, match=r"other settings: flip \(True there, False here\)"):
        insightface.run(plain, context, weights)
    insightface.run(plain, replace(context, force=True), weights)
    assert len(set(trained)) == 3


@pytest.mark.slow
def test_what_is_forced_starts_anew(context, weights):
    short = config(optimiser=FAST | {"epochs": 3})
    forced_runs_start_anew(lambda here: insightface.run(short, here, weights), context)


@pytest.mark.slow
def test_one_process_writes_the_run(context, weights, monkeypatch):
    short = config(optimiser=FAST | {"epochs": 1})
    other_processes_write_no_run(lambda here: insightface.run(short, here, weights), context, monkeypatch)


class KilledError(Exception):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("freeze", [True, False])
def test_a_killed_run_goes_on_and_ends_the_same(context, weights, tmp_path, freeze):
    recipe = config(freeze_backbone=freeze)
    whole = insightface.run(recipe, context, weights)
    expected = {name: (whole / name).read_bytes() for name in ("weights.safetensors", "predictions.parquet")}
    for path in (whole / "result.json", whole / "weights.safetensors"):
        path.unlink()
    messages = []

    def killed(name, done, of):
        if name == "train":
            messages.append(done)
            if done == 25:  # in the third epoch of eleven steps
                raise KilledError

    with pytest.raises(KilledError):
        insightface.run(recipe, replace(context, progress=killed), weights)
    assert (whole / "checkpoint.pt").is_file()
    assert not (whole / "result.json").exists()
    messages.clear()
    resumed = replace(
        context, progress=lambda name, done, of: messages.append(done) if name == "train" else None
    )
    assert insightface.run(recipe, resumed, weights) == whole
    assert messages[0] == 23, "two epochs were kept"
    assert {name: (whole / name).read_bytes() for name in expected} == expected


@pytest.mark.slow
def test_force_begins_a_killed_run_anew(context, weights):
    messages = []

    def killed(name, done, of):
        if name == "train" and done == 12:  # in the second epoch of eleven steps
            raise KilledError

    recipe = config(freeze_backbone=True, optimiser=FAST | {"epochs": 2})
    with pytest.raises(KilledError):
        insightface.run(recipe, replace(context, progress=killed), weights)
    anew = replace(
        context,
        force=True,
        progress=lambda name, done, of: messages.append(done) if name == "train" else None,
    )
    insightface.run(recipe, anew, weights)
    assert messages[0] == 1


@pytest.mark.slow
def test_from_scratch_is_another_experiment(context):
    folder = insightface.run(config(optimiser=FAST | {"epochs": 1}), context, None)
    assert folder.parts[-3:] == ("insightface-from-scratch", "0", "0")
    assert read_result(folder)["details"]["method"] == "InsightFace, from scratch"
    assert read_result(folder)["details"]["weights"] is None
    verify(folder)
    with pytest.raises(ConfigError, match=r"freezes the backbone(.|\n)*--recipe insightface"):
        insightface.run(config(freeze_backbone=True), context, None)


@pytest.mark.slow
def test_the_small_recipe_without_weights_trains(context, monkeypatch):
    monkeypatch.setattr(insightface, "iresnet", iresnet)
    recipe = load_baseline("insightface", InsightFaceConfig, "insightface-small-from-scratch")
    short = recipe.optimiser.model_copy(update={"epochs": 1, "patience": 1})
    folder = insightface.run(recipe.model_copy(update={"crops": "stored", "optimiser": short}), context, None)
    assert folder.parts[-3] == "insightface-small-from-scratch", "the name tells it once"
    verify(folder)
    assert len(json.loads((folder / "history.json").read_text())["epochs"]) == 1
    shutil.rmtree(folder.parents[1])


def test_from_scratch_on_the_cpu_takes_the_recipe_for_it(context, monkeypatch):
    taken = []

    def run(config, context, weights):
        taken.append((config.name, config.freeze_backbone, weights))
        raise KilledError

    monkeypatch.setattr("fgbench.methods.steps.contexts.ensure_features", lambda *arguments, **options: None)
    monkeypatch.setattr(insightface, "run", run)
    words = [
        "baseline",
        "insightface",
        "--workdir",
        str(context.workdir),
        "--device",
        "cpu",
        "--from-scratch",
    ]
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception.__cause__, KilledError)
    assert "no recipe is named: insightface-small-from-scratch is taken" in done.stderr
    monkeypatch.setattr(default_folders, "DEMO_WORKDIR", context.workdir)
    CliRunner().invoke(app, words)
    CliRunner().invoke(app, [*words, "--recipe", "insightface"])
    frozen = CliRunner().invoke(app, [*words, "--recipe", "insightface-small"])
    assert frozen.exit_code == 3
    assert "insightface-small-from-scratch" in frozen.stderr
    assert taken == [
        ("insightface-small-from-scratch", False, None),
        ("insightface-small-from-scratch", False, None),
        ("insightface", False, None),
    ]


@pytest.mark.slow
def test_table2_has_the_run(context, weights):
    insightface.run(config(optimiser=FAST | {"epochs": 1}), context, weights)
    rows = [row for row in table2.build(context.workdir).rows if row[1].partition(" [")[0] == "InsightFace"]
    assert [row[2] for row in rows] == ["this data set", "paper", "difference"]


class Payload:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def damaged(kind, weights, folder):
    state = torch.load(weights, weights_only=True)
    path = folder / "given.pth"
    if kind == "missing":
        return path
    if kind == "cut off":
        path.write_bytes(weights.read_bytes()[:3000])
        return path
    content = {
        "malicious": {**state, "more": Payload(folder / "executed")},
        "another network": {"trunk.conv1.weight": torch.zeros(3)},
        "another width": {**state, "fc.weight": torch.zeros(512, 7)},
        "not finite": {**state, "fc.bias": torch.full((512,), float("nan"))},
    }[kind]
    torch.save(content, path)
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", r"cannot read the weights .*given\.pth"),
        ("cut off", r"given\.pth is damaged"),
        ("malicious", r"would run code when read and was refused"),
        ("another network", r"do not fit the network .*conv1\.weight"),
        ("another width", r"fc\.weight \(512, 7\) instead of \(512, 784\)"),
        ("not finite", r"numbers in fc\.bias that are not finite"),
    ],
)
def test_bad_weights_are_refused(context, weights, tmp_path, kind, message):
    with pytest.raises(ManifestError, match=message):
        insightface.run(config(), context, damaged(kind, weights, tmp_path))
    assert not (tmp_path / "executed").exists()
    assert not [path for path in (tmp_path / "runs").glob("*/*/*") if path.is_dir()]


def test_without_validation_images_nothing_is_trained(context, weights, monkeypatch):
    samples = [s for s in image_roles.image_samples(context.manifests) if s.part != "val"]
    monkeypatch.setattr(image_roles, "image_samples", lambda manifests: samples)
    with pytest.raises(DatasetError, match="no images to choose the epoch on"):
        insightface.run(config(), context, weights)


def test_inputs_are_insightfaces():
    crops = torch.randint(0, 256, (2, 3, 112, 112), generator=torch.Generator().manual_seed(0)).byte()
    actual = see_crops(crops, torch.tensor([False, True]))
    expected = (crops.double() / 255 - 0.5) / 0.5
    torch.testing.assert_close(actual[0].double(), expected[0], atol=1e-6, rtol=0)
    torch.testing.assert_close(actual[1].double(), expected[1].flip(2), atol=1e-6, rtol=0)


def test_loss_of_the_arcface_head_has_the_margin_of_the_true_class():
    torch.manual_seed(0)
    features, labels = torch.randn(6, 512), torch.tensor([0, 1, 2, 0, 1, 2])
    head = FaceHead(3, kind="arcface", scale=8.0, margin=0.5)
    names = [str(n) for n in range(6)]
    samples = FaceSet(sample_ids=names, labels=labels, inputs=Resident(features[:, None, :, None, None]))
    task = FaceTask(head, config(head="arcface"), see_features, train=samples, selection=samples, seed=0)
    (batch, *_) = task.batches(epoch=0, rank=0, world=1)
    actual, parts = task.loss(batch, epoch=0)
    cosines = torch.cosine_similarity(features[batch.index][:, None], head.weight[None], dim=2)
    target = labels[batch.index]
    angles = torch.acos(cosines) + 0.5 * torch.nn.functional.one_hot(target, 3)
    expected = torch.nn.functional.cross_entropy(8.0 * torch.cos(angles), target)
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-4)
    assert parts == {}
    assert task.ids(batch) == [names[n] for n in batch.index.tolist()]
    assert task.groups() == [{"params": [head.weight], "lr": 0.03}]
    shown = arcface_logits(cosines, target, scale=8.0, margin=0.5)
    torch.testing.assert_close(actual, torch.nn.functional.cross_entropy(shown, target), rtol=1e-4, atol=1e-4)


def test_rates_and_views_of_the_whole_network():
    net = IResNetClassifier(narrow(), FaceHead(33))
    crops = torch.zeros(5, 3, 112, 112, dtype=torch.uint8)
    samples = FaceSet(
        sample_ids=list("abcde"), labels=torch.zeros(5, dtype=torch.int64), inputs=Resident(crops)
    )
    task = FaceTask(net, config(), see_crops, train=samples, selection=samples, seed=2)
    backbone, head = task.groups()
    assert "lr" not in backbone
    assert head["lr"] == 0.03
    assert {id(p) for p in head["params"]} == {id(p) for p in net.head.parameters()}
    task.batches(epoch=3, rank=0, world=1)
    assert task._mirrored.equal(draw_views(5, 2, seed=2, epoch=3).bool())


def test_packed_recipes_are_of_the_method():
    names = [name for name in recipe_names("baseline") if name.startswith("insightface")]
    assert names == ["insightface", "insightface-small", "insightface-small-from-scratch"]
    recipes = [load_baseline("insightface", InsightFaceConfig, name) for name in names]
    assert [recipe.name for recipe in recipes] == names
    assert {recipe.method for recipe in recipes} == {"InsightFace"}
    assert [recipe.freeze_backbone for recipe in recipes] == [False, True, False]
    paper = recipes[0].optimiser
    assert (paper.learning_rate, paper.momentum, paper.weight_decay, paper.batch) == (1e-4, 0.9, 5e-4, 8)


@pytest.mark.slow
def test_command(context, weights, monkeypatch):
    monkeypatch.setattr("fgbench.methods.steps.contexts.ensure_features", lambda *arguments, **options: None)
    recipe = context.workdir / "mine.yaml"
    recipe.write_text(yaml.safe_dump(config(freeze_backbone=True).model_dump(mode="json")))
    words = ["baseline", "insightface", "--workdir", str(context.workdir), "--recipe", str(recipe)]
    runner = CliRunner()
    done = runner.invoke(app, [*words, "--device", "cpu", "--jobs", "1"])
    assert done.exit_code == 9
    for part in ("--weights", "--from-scratch", "github.com/deepinsight/insightface", "non-commercial"):
        assert part in done.stderr
    done = runner.invoke(app, [*words, "--weights", str(weights), "--from-scratch"])
    assert done.exit_code == 2
    done = runner.invoke(app, [*words, "--weights", str(weights), "--device", "cpu", "--json"])
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["details"]["method"] == "InsightFace"


def stored_faces(context, ids):
    """Stored faces (N, 224, 224, 3) RGB, and where each lies: the picture is the face itself."""
    table = pq.read_table(context.manifests / "images", columns=["image_id", "image"]).to_pylist()
    data = {row["image_id"]: np.frombuffer(row["image"]["bytes"], np.uint8) for row in table}
    faces = np.stack([cv2.cvtColor(cv2.imdecode(data[name], 1), cv2.COLOR_BGR2RGB) for name in ids])
    points = np.array(pq.read_table(context.manifests / "faces")["landmarks"].to_pylist()[0]).reshape(68, 2)
    still = np.array([[1.0, 0, 0], [0, 1.0, 0]])
    return faces, [
        FacePosition(frame=ImageFrame(pixels=face), landmarks=points.astype(np.float32), transform=still)
        for face in faces
    ]


@pytest.mark.slow
@pytest.mark.parametrize("freeze", [True, False])
def test_a_run_is_evaluated_asked_and_exported(context, weights, tmp_path, freeze):
    """All give what the run predicted: evaluation to 1e-5; single faces, and the ONNX file, to 1e-4."""
    import onnxruntime

    folder = insightface.run(config(freeze_backbone=freeze, optimiser=FAST | {"epochs": 2}), context, weights)
    network = open_trained(read_trained(folder / "weights.safetensors"), CPU)
    assert (network.task, network.crops, network.is_frozen, network.features) == (
        "images",
        "stored",
        freeze,
        (),
    )
    same, compared = evaluate_images(network, context)
    assert same == folder
    assert compared.largest_difference <= 1e-5
    assert compared.n == 6
    predictions = read_predictions(folder)
    ids = [name for name, label in zip(predictions.sample_ids, predictions.predicted, strict=True) if label]
    before = predictions.probabilities[[predictions.sample_ids.index(name) for name in ids]]
    assert before.std(axis=0).max() > 1e-2, "faces differ"
    np.testing.assert_allclose(network.predict_faces(*stored_faces(context, ids)).fine, before, atol=1e-4)
    with pytest.raises(ValueError, match="0 positions of 6 faces"):
        network.predict_faces(stored_faces(context, ids)[0])
    export_onnx(network, tmp_path / "face.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "face.onnx")
    crops = load_crops(context.manifests, ids, device=CPU).numpy()
    given, _ = session.run(["probabilities", "basic_probabilities"], {"crops": crops})
    np.testing.assert_allclose(given, before, atol=1e-4)


@pytest.mark.slow
def test_on_other_data_it_is_a_run_there(context, weights, tmp_path):
    folder = insightface.run(config(freeze_backbone=True, optimiser=FAST | {"epochs": 1}), context, weights)
    network = open_trained(read_trained(folder / "weights.safetensors"), CPU)
    shutil.copytree(context.manifests, tmp_path / "there" / "manifests")
    details = {"dataset": "other", "synthetic": True}
    there = replace(context, workdir=tmp_path / "there", manifest_digest="n", details=details)
    made, compared = evaluate_images(network, there)
    assert compared is None
    assert made.relative_to(tmp_path / "there").parts[:2] == ("runs", "insightface-on-other")
    assert read_result(made)["details"]["crops"] == "stored"
    assert yaml.safe_load((made / "config.yaml").read_text())["depth"] == 50


@pytest.mark.slow
def test_weights_of_earlier_versions_are_opened_by_the_settings_of_their_run(context, weights):
    """They told neither what crops are cut from nor that features were kept."""
    folder = insightface.run(config(freeze_backbone=True, optimiser=FAST | {"epochs": 1}), context, weights)
    path = folder / "weights.safetensors"
    trained = read_trained(path)
    reported = ("crops", "freeze_backbone", "dataset", "synthetic", "faces")
    earlier = {name: value for name, value in trained.metadata.items() if name not in reported}
    network = open_trained(replace(trained, metadata=earlier), CPU)
    assert (network.crops, network.is_frozen) == ("stored", True)
    assert evaluate_images(network, context)[1].largest_difference <= 1e-5


@pytest.mark.slow
def test_a_face_of_a_file_is_told(context, weights, tmp_path):
    """The face is found, also where the data set took pictures as they are."""
    folder = insightface.run(config(freeze_backbone=True, optimiser=FAST | {"epochs": 1}), context, weights)
    network = open_trained(read_trained(folder / "weights.safetensors"), CPU)
    picture, empty = tmp_path / "a.png", tmp_path / "b.png"
    astronaut = np.ascontiguousarray(skimage.data.astronaut()[..., ::-1])
    picture.write_bytes(cv2.imencode(".png", astronaut)[1].tobytes())
    empty.write_bytes(cv2.imencode(".png", np.full((120, 120, 3), 90, np.uint8))[1].tobytes())
    prediction = predict_file(picture, network, FacesConfig())
    assert (prediction.status, prediction.n_faces) == ("ok", 1)
    assert prediction.probabilities.fine.sum() == pytest.approx(1, abs=1e-5)
    assert prediction.probabilities.basic_sum.shape == (6,)
    assert predict_file(empty, network, FacesConfig(align="never")).status == "no_face"
