"""``fgbench compare``: methods of the paper and uses of a network of the user's in one table, with seeds."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from fgbench.methods.backbone import method
from fgbench.methods.msau.run import run as train_msau
from fgbench.runs.predictions import read_predictions
from fgbench.runs.results import read_result, write_run
from tests.support.backbone_work import recipe
from tests.support.command_line import in_folder
from tests.support.striped_manifests import write_index
from tests.support.tiny_backbones import MEAN, STD
from tests.support.tiny_networks import tiny_resnet
from tests.support.tiny_work import LEAVES, context_in, plain_recipe, small_work

pytestmark = pytest.mark.slow
INPUT = {"size_px": 32, "scale": 1 / 255, "mean": MEAN, "std": STD}
QUICK = {"kind": "adamw", "learning_rate": 0.003, "batch": 6, "epochs": 1}
FROZEN = "backbone-tiny-knn"
TUNED = ("backbone-tiny-finetuned-last-1", "backbone-tiny-finetuned-all")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two seeds of a plain CNN, a frozen network, two ways to train it; and one of a method as if of LBP."""
    folder = tmp_path_factory.mktemp("five")
    manifests = small_work(folder / "made", rest=False)
    torch.save(tiny_resnet().state_dict(), folder / "tiny.pth")
    config = recipe(
        input=INPUT,
        architecture={"width": 0.0625},
        head={"kind": "knn", "neighbours": [1]},
        finetune={"optimiser": QUICK},
    )
    named = {"torch": folder / "tiny.pth", "arch": "resnet18"}
    for seed in (0, 1):
        context = context_in(folder / "work", manifests, labels=LEAVES, seed=seed)
        (plain,) = train_msau(plain_recipe(optimiser=QUICK), context, None)
        for finetune in (None, "last-1", "all"):
            method.run(config, context, **named, finetune=finetune)
    write_index(folder / "work", "made up")
    written_as_lbp(folder / "work", plain)
    return folder


def written_as_lbp(work, plain):
    """The predictions of a run, every third one the next class, under the name of ``lbp-svm``."""
    before, predictions = read_result(plain), read_predictions(plain)
    turned = np.array(predictions.probabilities)
    turned[::3] = np.roll(turned[::3], 1, axis=1)
    classes = np.array(predictions.classes)
    pairs = zip(turned, predictions.predicted, strict=True)
    guessed = [classes[row.argmax()] if label else label for row, label in pairs]
    details = {key: before["details"][key] for key in ("dataset", "synthetic", "kind")}
    write_run(
        work,
        type(predictions)(
            **{
                **{name: getattr(predictions, name) for name in predictions.__dataclass_fields__},
                "probabilities": turned,
                "predicted": guessed,
            }
        ),
        experiment="lbp-svm",
        fold="0",
        seed=0,
        config={"name": "lbp-svm"},
        manifest_digest=before["manifest_digest"],
        device="cpu",
        details={**details, "method": "LBP+SVM"},
    )


def test_five_methods_of_both_kinds_are_one_table(folder):
    names = ["lbp-svm", "tiny-cnn", FROZEN, *TUNED]
    done = in_folder(folder, "compare", *names, "--workdir", "work", "--json")
    assert done.exit_code == 0, done.stderr
    plain = json.loads(done.stdout)
    assert [run["name"] for run in plain["runs"]] == names
    assert [len(run["seeds"]) for run in plain["runs"]] == [1, 2, 2, 2, 2]
    for run in plain["runs"]:
        folders = [read_result(Path(one))["metrics"]["uar"] for one in sorted(run["folders"])]
        assert run["uar"]["estimate"] == pytest.approx(np.mean(folders))
        if len(folders) > 1:
            assert run["uar"]["sd_over_seeds"] == pytest.approx(np.std(folders, ddof=1))
    text = in_folder(folder, "compare", *names, "--workdir", "work").stdout
    assert "**Runs compared: made up (SYNTHETIC data)**" in text
    assert (
        f"On networks of the user's, which the paper does not have: {FROZEN} (frozen), {TUNED[0]} "
        f"(fine-tuned, last-1), {TUNED[1]} (fine-tuned, all)." in text
    )
    assert f"{FROZEN}: over 2 seeds nothing varies: all predict the same, so that ± is 0." in text
    assert "the network itself" in text


def test_the_leaderboard_has_them_all_with_their_methods(folder):
    (table,) = json.loads(in_folder(folder, "leaderboard", "--workdir", "work", "--json").stdout)
    methods = {row[1].removesuffix(" [old data]"): row[2] for row in table["rows"]}
    assert methods == {
        "lbp-svm": "LBP+SVM",
        "tiny-cnn": "Plain CNN",
        FROZEN: "tiny, knn",
        TUNED[0]: "tiny, fine-tuned (last-1)",
        TUNED[1]: "tiny, fine-tuned",
    }
    assert "SYNTHETIC" in table["title"]
