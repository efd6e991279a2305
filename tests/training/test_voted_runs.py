"""Runs that learn from the shares of votes: what they keep, when they are of old data, and without votes."""

from dataclasses import replace

import numpy as np
import pytest

from fgbench.config import TargetConfig
from fgbench.errors import DatasetError
from fgbench.files.hashing import digest_file
from fgbench.methods.msau import run as image_run
from fgbench.methods.steps import images as image_steps
from fgbench.methods.steps.clips import train_clips
from fgbench.methods.steps.contexts import open_work
from fgbench.methods.tmsau import run as clip_run
from fgbench.runs.predictions import read_predictions
from fgbench.runs.read_digest import digests_now, votes_digest
from fgbench.runs.results import read_result
from fgbench.workfolders.manifest_index import read_index
from tests.support.drawn_votes import prepared, write_voted
from tests.support.soft_labels import agreed_shares, set_shares
from tests.support.tiny_clips import clip_recipe, small_clips
from tests.support.tiny_work import context_in, plain_recipe, small_work

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]

LOSSES = {"fine": 1.0, "basic": 0.5, "rank": 0.0, "alternate": False}
DIVIDED = {"clip000": {"anger": 0.6, "hate": 0.4}, "clip003": {"anger": 0.5, "panic": 0.5}}


def recipe(target):
    return plain_recipe(losses=LOSSES | {"target": target})


def voted(context):
    """The context with the digest of the votes, as work folders are opened."""
    return replace(context, votes_digest=votes_digest(context.workdir, context.manifest_digest))


def in_folder(folder, shares=None):
    manifests = small_work(folder / "made")
    if shares is not None:
        set_shares(manifests, shares(manifests) if callable(shares) else shares)
    return voted(context_in(folder / "work", manifests))


def test_votes_that_all_agree_train_the_same_network(tmp_path):
    """Down to the bytes of its weights' numbers: predictions and losses are equal."""
    runs = {}
    for target in ("hard", "soft"):
        (runs[target],) = image_run.run(recipe(target), in_folder(tmp_path / target, agreed_shares), None)
    hard, soft = (read_predictions(runs[target]) for target in ("hard", "soft"))
    np.testing.assert_array_equal(hard.probabilities, soft.probabilities)
    assert read_result(runs["soft"])["metrics"] == read_result(runs["hard"])["metrics"]


def test_a_run_keeps_that_it_learned_from_votes(tmp_path):
    context = in_folder(tmp_path, DIVIDED)
    (hard,) = image_run.run(recipe("hard").model_copy(update={"name": "hard"}), context, None)
    (soft,) = image_run.run(recipe("soft"), context, None)
    result, plain = read_result(soft), read_result(hard)
    assert result["details"]["target"] == "soft"
    assert "target" not in plain["details"]
    assert (result["manifest_digest"], plain["manifest_digest"]) == (
        context.votes_digest,
        context.manifest_digest,
    )
    line = "- Target of the softmax losses: the shares of the annotators' votes (`losses.target: soft`)"
    assert line in (soft / "README.md").read_text()
    assert line not in (hard / "README.md").read_text()
    other = np.abs(read_predictions(soft).probabilities - read_predictions(hard).probabilities)
    assert np.nanmax(other) > 1e-4
    assert context.is_digest_of(result["manifest_digest"])


def test_a_changed_vote_makes_the_run_again(tmp_path):
    context = in_folder(tmp_path, DIVIDED)
    (soft,) = image_run.run(recipe("soft"), context, None)
    before = digest_file(soft / "weights.safetensors")
    assert image_run.run(recipe("soft"), context, None) == [soft]
    assert digest_file(soft / "weights.safetensors") == before
    index = read_index(context.workdir)
    voted_now = votes_digest(context.workdir, "d")
    set_shares(context.manifests, DIVIDED | {"clip000": {"anger": 0.8, "hate": 0.2}})
    assert votes_digest(context.workdir, "d") != voted_now
    assert read_result(soft)["manifest_digest"] not in digests_now(context.workdir, index)
    (again,) = image_run.run(recipe("soft"), voted(context), None)
    assert again == soft
    assert digest_file(soft / "weights.safetensors") != before


def test_digests_of_now_are_those_of_runs_with_votes_and_without(tmp_path):
    context = in_folder(tmp_path, DIVIDED)
    opened = open_work(context.workdir)
    now = digests_now(context.workdir, read_index(context.workdir))
    assert {opened.manifest_digest, opened.votes_digest} <= now
    assert opened.learning_from("soft", "own").manifest_digest == opened.votes_digest
    assert opened.learning_from("hard", "own") is opened


def test_without_votes_nothing_is_trained(tmp_path, monkeypatch):
    """Not even the action units that the network starts from."""
    context = in_folder(tmp_path)
    trained = []
    monkeypatch.setattr(image_steps, "train_units_in", lambda *given: trained.append(given))
    config = recipe("soft").model_copy(update={"au_recipe": "au-small"})
    with pytest.raises(DatasetError, match=r"learns from votes .* no clip of .* has any"):
        image_steps.train_images(config, context.workdir)
    losses = {"target": "soft"}
    with pytest.raises(DatasetError, match="learns from votes"):
        train_clips(clip_recipe(losses=losses, temporal=None), context.workdir)
    assert trained == []
    assert not (context.workdir / "runs").exists()


def test_clip_networks_learn_from_votes(tmp_path):
    manifests = small_clips(tmp_path / "made")
    shares = agreed_shares(manifests)
    name = next(name for name in shares if "relief" in shares[name])
    set_shares(manifests, shares | {name: {"relief": 0.6, "anger": 0.4}})
    context = voted(context_in(tmp_path / "work", manifests))
    config = clip_recipe(image_recipe=None, spatial="rgb", temporal=None, losses={"target": "soft"})
    folder = clip_run.run(config, context, None)
    result = read_result(folder)
    assert result["details"]["target"] == "soft"
    assert result["manifest_digest"] == context.votes_digest


def test_a_vote_for_another_class_changes_the_target_of_its_pictures(tmp_path):
    """A data set drawn with votes, prepared: one vote of five changes, and the label stays."""
    root, work = write_voted(tmp_path / "data"), tmp_path / "work"
    prepared(root, work)
    before = open_work(work)
    assert before.votes_digest is not None
    text = (root / "votes.csv").read_text()
    (root / "votes.csv").write_text(text.replace("film0/wrath,ada,wrath", "film0/wrath,ada,gloom", 1))
    prepared(root, work)
    after = open_work(work)
    assert after.votes_digest != before.votes_digest
    assert after.manifest_digest == before.manifest_digest, "runs that learn from classes stay as they are"


def test_the_key_is_of_all_recipes_with_softmax_losses():
    assert TargetConfig().target == "hard"
    assert recipe("hard").losses.target == "hard"
