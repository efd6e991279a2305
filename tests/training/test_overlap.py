"""Networks that know test clips: refused, also where parts divide; what is not known is told."""

from __future__ import annotations

import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fgbench.errors import ConfigError
from fgbench.methods._networks.overlap import refuse_overlap
from fgbench.methods.action_units import run as au_run
from fgbench.methods.msau import run as image_run
from fgbench.methods.tmsau import run as video_run
from fgbench.reports.run.fold_scores import fold_tables
from fgbench.reports.run.scores import scores_table
from fgbench.runs.results import read_result
from fgbench.runs.weights import read_trained
from fgbench.workfolders.manifest_index import content_digest
from tests.support.tiny_clips import clip_recipe, small_clips
from tests.support.tiny_runs import write_tiny_weights
from tests.support.tiny_work import (
    FAST,
    au_recipe,
    au_rows,
    context_in,
    image_recipe,
    plain_recipe,
    small_work,
    with_three_leaves,
)

OTHER_SEED = {"train": "test", "test": "train", "val": "val"}


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


def rewritten(manifests, change):
    """Change the rows of ``clips.parquet``."""
    path = manifests / "clips.parquet"
    table = pq.read_table(path)
    rows = [{**row, **change(number, row)} for number, row in enumerate(table.to_pylist())]
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    return manifests


def with_files(manifests):
    return rewritten(manifests, lambda number, _: {"sha256": f"{number:064x}"})


def prepared_again(context, folder, change):
    """A work folder of the same data set: its prepare.json names the same root."""
    other = context_in(folder, context.manifests)
    shutil.copy(context.workdir / "prepare.json", folder / "prepare.json")
    rewritten(other.manifests, change)
    return other


def other_parts(_number, row):
    return {"split": OTHER_SEED[row["split"]]}


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    return with_files(with_three_leaves(small_work(tmp_path_factory.mktemp("faces"), rest=False)))


def image_model(context, **changes):
    (folder,) = image_run.run(plain_recipe(optimiser=FAST | {"epochs": 1}, **changes), context, None)
    return read_trained(folder / "weights.safetensors")


def unit_weights(context):
    config = au_recipe(optimiser=FAST | {"epochs": 1})
    (folder,) = au_run.run(config, context, au_rows(context.manifests))
    return folder / "weights.safetensors"


def test_the_same_clips_prepared_with_another_seed(tmp_path, faces):
    """Clips of the same name in the same data set are the same, and so are equal files of any name."""
    first = context_in(tmp_path / "first", faces)
    units = unit_weights(first)
    n_test = sum(row["split"] == "train" for row in pq.read_table(faces / "clips.parquet").to_pylist())

    def encoded_anew(number, row):
        return {**other_parts(number, row), "sha256": f"{number + 1000:064x}"}

    def renamed(number, row):
        return {**other_parts(number, row), "clip_id": f"take-{row['clip_id']}"}

    for name, change in (("anew", encoded_anew), ("files", other_parts)):
        second = prepared_again(first, tmp_path / name, change)
        message = rf"au-tiny/0/0 was trained on {n_test} of the test clips of .*{name}, fold 0; expected none"
        with pytest.raises(ConfigError, match=message):
            image_run.run(image_recipe(), second, units)
        assert not (second.workdir / "runs").exists(), "before anything is trained"
    third = context_in(tmp_path / "third", faces)
    rewritten(third.manifests, renamed)
    with pytest.raises(ConfigError, match=f"trained on {n_test} of the test clips"):
        refuse_overlap(read_trained(units), third)
    # Other files of the same name in another folder are others.
    fourth = context_in(tmp_path / "fourth", faces)
    rewritten(fourth.manifests, encoded_anew)
    assert refuse_overlap(read_trained(units), fourth) == 0
    assert refuse_overlap(read_trained(units), first) == 0


def test_networks_of_clips_refuse_image_models_that_know_test_clips(tmp_path):
    manifests = with_three_leaves(small_clips(tmp_path, rest=False))
    first = context_in(tmp_path / "first", manifests)
    weights = first.workdir / "runs" / "tiny" / "0" / "0" / "weights.safetensors"
    weights.parent.mkdir(parents=True)
    write_tiny_weights(weights)
    second = prepared_again(first, tmp_path / "second", other_parts)
    with pytest.raises(ConfigError, match="tiny/0/0 was trained on 12 of the test clips"):
        video_run.run(clip_recipe(temporal=None), second, read_trained(weights))
    folder = video_run.run(clip_recipe(temporal=None), first, read_trained(weights))
    assert read_result(folder)["details"]["start"] == {
        "run": "tiny/0/0",
        "kind": "image",
        "sha256": read_trained(weights).digest,
        "is_of_this_folder": True,
        "clips_trained_on": 0,
    }


def test_what_is_not_known_is_told_in_result_and_tables(tmp_path, faces):
    first, second = (context_in(tmp_path / name, faces) for name in ("first", "second"))
    units = tmp_path / "units.safetensors"
    shutil.copy(unit_weights(first), units)
    once = FAST | {"epochs": 1}
    (folder,) = image_run.run(image_recipe(optimiser=once), second, units)
    start = read_result(folder)["details"]["start"]
    assert (start["run"], start["kind"], start["clips_trained_on"]) == ("units.safetensors", "au", None)
    message = (
        "What units.safetensors was trained on is not at hand: that it knows test clips cannot be ruled out."
    )
    assert message in scores_table(folder).notes
    assert all(message in table.notes for table in fold_tables([folder]))

    # It is passed on: the manifests of the image model are at hand, those of its units are not.
    tuned = image_run.fine_tuned(image_recipe(optimiser=once))
    (again,) = image_run.run(tuned, second, None, init=read_trained(folder / "weights.safetensors"))
    assert read_result(again)["details"]["start"]["clips_trained_on"] is None
    (known,) = image_run.run(image_recipe(name="known", optimiser=once), first, unit_weights(first))
    assert read_result(known)["details"]["start"]["clips_trained_on"] == 0
    assert not [note for note in scores_table(known).notes if "not at hand" in note]


def test_equal_files_in_parts_are_a_matter_of_the_division(tmp_path, faces):
    """The leak is there whatever is started from; the audit tells of it."""
    context = context_in(tmp_path / "work", faces)
    rewritten(context.manifests, lambda number, row: {"sha256": "0" * 64})
    assert refuse_overlap(image_model(context), context) == 0


def test_work_folders_that_were_divided_anew(tmp_path, faces):
    """A run tells its clips itself: the parts of the folder that it lies in may be others by now."""
    context = context_in(tmp_path / "work", faces)
    model = image_model(context)
    assert refuse_overlap(model, context) == 0
    n_test = sum(row["split"] == "train" for row in pq.read_table(faces / "clips.parquet").to_pylist())
    rewritten(context.manifests, other_parts)
    with pytest.raises(ConfigError, match=f"tiny-cnn/0/0 was trained on {n_test} of the test clips"):
        refuse_overlap(model, context)


@pytest.mark.parametrize("is_renamed", [False, True], ids=["same-names", "other-names"])
def test_runs_that_were_copied_into_another_work_folder(tmp_path, faces, is_renamed):
    first = context_in(tmp_path / "first", faces)
    runs = [image_model(first).path, unit_weights(first)]

    def change(number, row):
        return other_parts(number, row) | ({"clip_id": f"take-{row['clip_id']}"} if is_renamed else {})

    second = prepared_again(first, tmp_path / "second", change)
    shutil.copytree(first.workdir / "runs", second.workdir / "runs")
    for weights in runs:
        copied = second.workdir / weights.relative_to(first.workdir)
        with pytest.raises(ConfigError, match="was trained on 12 of the test clips"):
            refuse_overlap(read_trained(copied), second)


def test_what_a_run_tells_includes_what_it_started_from(tmp_path, faces):
    """The trunk of an image model knows the clips of its action units."""
    first = context_in(tmp_path / "first", faces)
    made = with_three_leaves(small_work(tmp_path / "other", rest=False))
    other = rewritten(made, lambda number, _: {"sha256": f"{number + 500:064x}"})
    second = context_in(tmp_path / "second", other, details={"dataset": "another", "synthetic": True})
    (folder,) = image_run.run(image_recipe(optimiser=FAST | {"epochs": 1}), second, unit_weights(first))
    with pytest.raises(ConfigError, match="was trained on 12 of the test clips"):
        refuse_overlap(
            read_trained(folder / "weights.safetensors"),
            prepared_again(first, tmp_path / "third", other_parts),
        )


def test_runs_that_do_not_tell_their_clips(tmp_path, faces):
    """Of earlier versions: they are of the manifests beside them, or nothing is known of them."""
    for name, digest, known in (("now", content_digest({"files": {}}), 0), ("before", "0" * 64, None)):
        context = context_in(tmp_path / name, faces, manifest_digest=digest)
        model = image_model(context)
        (model.path.parent / "trained_on.parquet").unlink()
        assert refuse_overlap(model, context) == known
