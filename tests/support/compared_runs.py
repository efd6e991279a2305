"""Runs to compare, written into a work folder."""

from fgbench.reports.comparison.compared import compare
from fgbench.reports.comparison.contenders import find_contender
from fgbench.runs.predictions import read_predictions
from fgbench.runs.results import read_result, write_run


def comparison_of(work, *runs):
    return compare([find_contender(run, work) for run in runs])


def right(work, folder):
    predictions = read_predictions(work / "runs" / folder)
    return {
        name: (label, subject, predicted == label)
        for name, label, subject, predicted in zip(
            predictions.sample_ids,
            predictions.labels,
            predictions.subject_ids,
            predictions.predicted,
            strict=True,
        )
    }


def rewritten(work, experiment, change, **details):
    """A run made from that of ``weak``, with changed predictions."""
    folder = work / "runs/weak/0/0"
    before = read_result(folder)
    return write_run(
        work,
        change(read_predictions(folder)),
        experiment=experiment,
        fold="0",
        seed=0,
        config={"name": experiment},
        manifest_digest=before["manifest_digest"],
        device="cpu",
        details={**before["details"], **details},
    )
