"""Made-up runs on a data set of seven classes and ten persons in five folds."""

import numpy as np

from fgbench.runs.predictions import Predictions
from fgbench.runs.results import write_run
from tests.support.divided_work import EKMAN7
from tests.support.report_folders import digest_of

PROTOCOL = {
    "name": "5-fold-by-subject",
    "label": "5-fold by subject",
    "folds": ["1", "2", "3", "4", "5"],
    "group_by": "subject_id",
    "digest": "d",
}


def fake_run(
    work, experiment, samples, *, classes=EKMAN7, fold="0", seed=0, dataset="ck-plus", share=0.7, **details
):
    """A run that is right for a share of ``(id, subject, label)``; every tenth sample has no prediction."""
    random = np.random.default_rng([seed, *experiment.encode(), *fold.encode()])
    probabilities = np.full((len(samples), len(classes)), np.nan, np.float32)
    predicted = []
    for row, (_, _, label) in enumerate(samples):
        actual = label if random.random() < share else str(random.choice(classes))
        predicted.append(None if row % 10 == 9 else actual)
        if predicted[-1] is not None:
            probabilities[row] = 0.5 / len(classes)
            probabilities[row, classes.index(actual)] += 0.5
    return write_run(
        work,
        Predictions(
            classes=tuple(classes),
            sample_ids=[name for name, _, _ in samples],
            clip_ids=[name for name, _, _ in samples],
            subject_ids=[subject for _, subject, _ in samples],
            labels=[label for _, _, label in samples],
            predicted=predicted,
            probabilities=probabilities,
        ),
        experiment=experiment,
        fold=fold,
        seed=seed,
        config={"name": experiment},
        manifest_digest=digest_of(work),
        device="cpu",
        details={"dataset": dataset, "synthetic": True, "protocol": PROTOCOL, **details},
    )


def of_fold(fold):
    """Samples of the two persons of a fold, three of each class and person."""
    persons = (f"s{fold}", f"s{int(fold) + 5}")
    return [(f"{p}-{label}-{n}", p, label) for p in persons for label in EKMAN7 for n in range(3)]
