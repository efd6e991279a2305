"""fgbench: data-set pipeline and benchmark toolkit for fine-grained facial expression recognition."""

from __future__ import annotations

__version__ = "0.1.0"

_API = {
    "prepare": "prepared",
    "open": "work",
    "Work": "work",
    "Images": "images",
    "Table": "report_values",
    "Figure": "report_values",
    "synth": "drawing",
    "add_network": "methods",
    "OwnNetwork": "methods",
    "Run": "runs",
    "UnitRun": "unit_runs",
    "load": "networks",
    "Network": "networks",
    "Prediction": "predictions",
    "align": "faces",
    "align_all": "faces",
    "Face": "faces",
    "lbp": "features",
    "dense_trajectories": "features",
    "score": "scoring",
    "Scored": "scoring",
    "compare": "scoring",
    "Compared": "differences",
    "export_tasks": "annotation",
    "import_votes": "annotation",
    "push_tasks": "annotation_server",
    "pull_selection": "annotation_server",
    "pull_votes": "annotation_server",
    "ExportedTasks": "annotation",
    "ImportedTimelines": "annotation",
    "ImportedVotes": "annotation",
    "PushedTasks": "annotation_server",
    "push": "hub",
    "pull": "hub",
    "Pushed": "hub",
    "Pulled": "hub",
    "recipes": "recipes",
    "recipe": "recipes",
    "label_sets": "labels",
    "label_set": "labels",
    "data_sets": "data_sets",
    "survey": "data_sets",
    "publish": "publishing",
    "rebuild": "publishing",
    "diff": "publishing",
    "export_frame_tasks": "selecting",
    "export_frames": "selecting",
    "import_selection": "selecting",
    "check_plugin": "plugin_checks",
    "doctor": "health",
    "FgbenchError": "",
}
"""Module of :mod:`fgbench.api` that holds each public name; the empty one is :mod:`fgbench.errors`."""

__all__ = [*_API, "__version__"]


def __getattr__(name: str) -> object:
    if name not in _API:
        raise AttributeError(f"module 'fgbench' has no attribute {name!r}")
    from importlib import import_module

    module = f"fgbench.api.{_API[name]}" if _API[name] else "fgbench.errors"
    # A function of the name of a builtin would hide that in its own module.
    return getattr(import_module(module), "open_work" if name == "open" else name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_API})
