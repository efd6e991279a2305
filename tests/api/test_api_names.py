"""``import fgbench``: its names, signatures and stub, and that nothing heavy comes with it."""

import inspect
import subprocess
import sys

import pytest

import fgbench

SIGNATURES = {
    "add_network": "(name, build, *, title, settings, first_values)",
    "align": "(picture, *, settings)",
    "align_all": "(picture, *, settings)",
    "check_plugin": "(name)",
    "compare": "(first, second)",
    "data_sets": "(root)",
    "dense_trajectories": "(video, *, max_side_px)",
    "diff": "(first, second, *, out)",
    "doctor": "()",
    "export_frame_tasks": "(workdir, expert, out, *, data, inspect, progress)",
    "export_frames": "(workdir, out, *, progress)",
    "import_selection": "(tables, workdir, data, *, replace)",
    "export_tasks": "(data, *, tool, round, annotators, annotators_per_clip, gold, show, out, seed, recipe, "
    "settings, workdir, hide_names, force, progress)",
    "import_votes": "(files, data, *, tool, round, columns, annotators, project, recipe, settings, update, "
    "label_tier, key_frame_tier, confidence_tier, media, cut)",
    "label_set": "(name)",
    "label_sets": "()",
    "lbp": "(faces, *, settings)",
    "load": "(run, workdir, *, device)",
    "open": "(workdir)",
    "prepare": "(data, recipe, *, settings, workdir, jobs, engine, address, force, retry, verify, "
    "drop_leaks, decoder, worker_memory_gb, shard, shard_wait_s, force_unlock, progress)",
    "publish": "(workdir, out, *, without_pixels, jobs, progress)",
    "rebuild": "(published, data, *, workdir, detector_model, jobs, progress)",
    "recipe": "(name, changes)",
    "recipes": "()",
    "pull": "(repo, out, *, revision, endpoint, progress)",
    "pull_selection": "(data, url, project, *, token_file, annotators, replace)",
    "pull_votes": "(data, url, *, round, project, token_file, annotators, update)",
    "push_tasks": "(data, url, *, round, project, token_file, progress)",
    "push": "(path, repo, *, with_pixels, public, endpoint)",
    "synth": "(out, *, sheet, clips_per_class, subjects, width, height, classes, min_duration_s, "
    "max_duration_s, seed, control, variety, jobs, progress)",
    "score": "(predictions, labels, *, clusters, classes, level)",
    "survey": "(recipe, root, *, settings)",
}
"""What users' programs rely on: a change here breaks them, and needs an entry in CHANGELOG.md."""

MEMBERS = {
    "Work": (
        "agreement audit check class_counts classes clips clips_in evaluate export_faces faces figure folds "
        "images is_synthetic leaderboard ledger name page rejects report run runs score status table "
        "train votes",
        "(self, method, recipe, *, settings, device, seed, seeds, fold, fold_file, weights, jobs, resume, "
        "force, trackers, progress, options)",
    ),
    "Run": (
        "classes confusion figure is_synthetic network of per_class predictions scores settings tables "
        "compared_with",
        None,
    ),
    "UnitRun": ("is_synthetic mean_f1 network scores", None),
    "Network": (
        "classes export_onnx export_weights is_units name predict predict_all predict_files probabilities",
        None,
    ),
    "Prediction": (
        "box_xyxy is_units label message n_faces n_frames n_people path probabilities status units upper",
        None,
    ),
    "Face": (
        "box_xyxy chip landmarks n_faces pitch_deg quality roll_deg score status transform yaw_deg",
        None,
    ),
    "Images": ("count index labels", None),
    "ExportedTasks": (
        "folder is_new lines n_clips n_dealt n_gold notes per_clip project round to_json tool",
        None,
    ),
    "ImportedTimelines": ("has_table lines n_added n_cut n_same rejects table to_json", None),
    "ImportedVotes": (
        "changed has_table lines missing n_added n_same n_updated rejects rounds table to_json withdrawn",
        None,
    ),
    "Pulled": ("files folder kind lines revision to_json", None),
    "Pushed": ("files kind lines repo to_json url", None),
    "PushedTasks": ("lines n_sent n_tasks n_uploaded round to_json url", None),
    "Scored": ("classes confusion counts figure labels n_clusters per_class scores", None),
    "Table": ("frame name notes save text title", None),
    "Figure": ("picture save table title", None),
    "OwnNetwork": ("name settings title", None),
    "Compared": ("difference first high low n notes p second", None),
}


def short(function):
    """A signature without types and defaults."""
    parts, has_star = [], False
    for name, one in inspect.signature(function).parameters.items():
        if one.kind is inspect.Parameter.KEYWORD_ONLY and not has_star:
            parts.append("*")
            has_star = True
        parts.append(name)
    return f"({', '.join(parts)})"


def test_the_names_and_signatures_are_those_that_programs_rely_on():
    functions = {name: short(getattr(fgbench, name)) for name in SIGNATURES}
    assert functions == SIGNATURES
    for name, (members, train) in MEMBERS.items():
        kind = getattr(fgbench, name)
        own = {member for member in dir(kind) if not member.startswith("_")}
        own |= {member for member in getattr(kind, "__annotations__", {}) if not member.startswith("_")}
        assert own == set(members.split()), name
        if train is not None:
            assert short(kind.train) == train
    rest = {"FgbenchError", "__version__"}
    assert set(fgbench.__all__) == {*SIGNATURES, *MEMBERS, *rest}
    assert set(fgbench.__all__) <= set(dir(fgbench))
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        fgbench.trian  # noqa: B018


def test_the_stub_names_what_the_module_has():
    stub = inspect.getsourcefile(fgbench) + "i"
    text = open(stub, encoding="utf-8").read()  # noqa: SIM115, PTH123
    listed = text[text.index("__all__ = [") :].split("]")[0].split('"')[1::2]
    assert set(listed) == set(fgbench.__all__)


def test_nothing_heavy_is_imported_before_it_is_asked_for():
    program = (
        "import sys, fgbench\n"
        "dir(fgbench), fgbench.__version__\n"
        "heavy = {'numpy', 'pandas', 'cv2', 'av', 'dlib', 'pyarrow', 'pydantic', 'torch', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
