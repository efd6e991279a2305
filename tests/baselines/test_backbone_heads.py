"""Heads of ``backbone`` against scikit-learn called by hand, and their tensors."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from fgbench.config import BackboneHeadConfig
from fgbench.errors import DatasetError, ManifestError
from fgbench.methods.backbone.head import PREFIX, Head
from fgbench.methods.backbone.head_fitting import fit_head, scale_features
from fgbench.methods.backbone.logistic import LogisticPath, fit_logistic
from fgbench.methods.backbone.trained_head import HeadAbout, read_head
from fgbench.methods.lbp_svm.choice import INNER_CV, PART, Plan
from fgbench.svm.choice import Fold

LABELS = ("a", "b", "c")
COUNTS = (60, 30, 18)
N_TRAIN = 72


@pytest.fixture(scope="module")
def problem():
    random = np.random.default_rng(3)
    truth = np.repeat([0, 1, 2], COUNTS)
    features = random.normal(size=(3, 10))[truth] + 1.3 * random.normal(size=(len(truth), 10)) + 5
    order = random.permutation(len(truth))
    return (features[order] * np.linspace(0.1, 4, 10)).astype(np.float32), truth[order]


def on_part(n):
    train, held = slice(0, N_TRAIN), slice(N_TRAIN, n)
    return Plan(
        pool=[None] * n,
        folds=[Fold(train, held)],
        scaled_by=train,
        final=train,
        n_final=N_TRAIN,
        refits=False,
        selection=PART,
    )


def in_folds(n):
    rows, every = np.arange(n), slice(0, n)
    folds = [Fold(np.flatnonzero(rows % 3 != one), np.flatnonzero(rows % 3 == one)) for one in range(3)]
    return Plan(
        pool=[None] * n,
        folds=folds,
        scaled_by=every,
        final=every,
        n_final=n,
        refits=True,
        selection=INNER_CV,
    )


def fitted(problem, plan=None, jobs=1, **settings):
    features, truth = problem
    config = BackboneHeadConfig(**settings)
    plan = plan or on_part(len(features))
    return fit_head(config, features, truth, plan, labels=LABELS, seed=1, jobs=jobs)


def uar(predicted, truth):
    return np.mean([(predicted[truth == one] == one).mean() for one in range(3)])


def best_by_hand(problem, values, model_of):
    """The first value whose model is best on held-out samples, its score, the model, and scaled features."""
    features, truth = problem
    scaler = StandardScaler().fit(features[:N_TRAIN])
    z = scaler.transform(features)
    scores = []
    for value in values:
        model = model_of(value).fit(z[:N_TRAIN], truth[:N_TRAIN])
        scores.append((uar(model.predict(z[N_TRAIN:]), truth[N_TRAIN:]), model))
    at = int(np.argmax([score for score, _ in scores]))
    return values[at], scores[at][0], scores[at][1], z


@pytest.mark.parametrize("balanced", [False, True])
def test_logistic_regression(problem, balanced):
    values = (0.001, 0.01, 0.1, 1.0)
    weights = "balanced" if balanced else None
    value, score, model, z = best_by_hand(
        problem, values, lambda c: LogisticRegression(C=c, tol=1e-8, max_iter=5000, class_weight=weights)
    )
    found = fitted(problem, c_values=values, balanced=balanced)
    assert found.best.parameters == {"C": value}
    assert found.best.uar == pytest.approx(score)
    own = found.head.probabilities(torch.from_numpy(problem[0])).numpy()
    np.testing.assert_allclose(own, model.predict_proba(z), atol=2e-3)


def test_two_classes_have_softmax_too(problem):
    features, truth = problem
    rows = truth < 2
    machine = fit_logistic(features[rows], truth[rows], labels=("a", "b"), c=1.0, balanced=False)
    model = LogisticRegression(C=1.0, tol=1e-6, max_iter=5000).fit(features[rows], truth[rows])
    logits = features[rows] @ machine.weights + machine.offsets
    own = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(own, model.predict_proba(features[rows]), atol=5e-3)


@pytest.mark.parametrize("balanced", [False, True])
def test_nearest_neighbours(problem, balanced):
    features, truth = problem
    numbers = (1, 5, 15)
    if balanced:
        counts = np.bincount(truth[:N_TRAIN])
        found = fitted(problem, kind="knn", neighbours=(5,), balanced=True)
        z = StandardScaler().fit(features[:N_TRAIN]).transform(features)
        near = KNeighborsClassifier(5).fit(z[:N_TRAIN], truth[:N_TRAIN]).kneighbors(z, return_distance=False)
        votes = np.stack([(truth[near] == one).sum(1) / counts[one] for one in range(3)], 1)
        expected = votes / votes.sum(1, keepdims=True)
    else:
        value, score, model, z = best_by_hand(problem, numbers, KNeighborsClassifier)
        found = fitted(problem, kind="knn", neighbours=numbers)
        assert found.best.parameters == {"neighbours": value}
        assert found.best.uar == pytest.approx(score)
        expected = model.predict_proba(z)
    own = found.head.probabilities(torch.from_numpy(features)).numpy()
    np.testing.assert_allclose(own, expected, atol=1e-5)


@pytest.mark.parametrize("kind", ["linear-svm", "rbf-svm"])
@pytest.mark.parametrize("balanced", [False, True])
def test_support_vector_machines(problem, kind, balanced):
    features, truth = problem
    found = fitted(problem, kind=kind, balanced=balanced, c_values=(0.1, 1.0))
    z = StandardScaler().fit(features[:N_TRAIN]).transform(features).astype(np.float32)
    how = {"kernel": "linear"}
    if kind == "rbf-svm":
        how = {"kernel": "rbf", "gamma": found.best.parameters["gamma"]}
        assert found.best.parameters["gamma"] * 10 == pytest.approx(1, rel=3.0)
    decisions = found.head.decisions(torch.from_numpy(features)).numpy()
    for number in range(3):
        model = SVC(C=found.best.parameters["C"], class_weight="balanced" if balanced else None, **how)
        model.fit(z[:N_TRAIN], truth[:N_TRAIN] == number)
        np.testing.assert_allclose(decisions[:, number], model.decision_function(z), atol=2e-2)
    probabilities = found.head.probabilities(torch.from_numpy(features)).numpy()
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    np.testing.assert_array_equal(probabilities.argmax(1), decisions.argmax(1))


def test_an_approximated_kernel_with_all_landmarks_is_near_the_exact_one(problem):
    settings = {"kind": "rbf-svm", "c_values": (1.0,), "gamma_factors": (1.0,)}
    exact, near = (fitted(problem, **settings, solver=solver) for solver in ("exact", "nystroem"))
    features = torch.from_numpy(problem[0])
    one, two = (each.head.decisions(features).argmax(1) for each in (exact, near))
    assert (one == two).float().mean() > 0.9


@pytest.mark.parametrize("kind", ["logistic", "linear-svm", "rbf-svm", "knn"])
def test_folds_choose_and_all_are_fitted_to(problem, kind):
    """With an inner cross-validation the head is fitted to all samples; workers do not change it."""
    plan = in_folds(len(problem[0]))
    one, two = (fitted(problem, plan, kind=kind, c_values=(0.1, 1.0), jobs=jobs) for jobs in (1, 3))
    for name, tensor in one.head.tensors.items():
        assert torch.equal(tensor, two.head.tensors[name])
    np.testing.assert_allclose(one.head.tensors.get("mean", np.zeros(10)), problem[0].mean(0), rtol=1e-5)
    if kind == "knn":
        assert len(one.head.tensors["support"]) == len(problem[0])
    assert len(one.trials) == {"logistic": 2, "linear-svm": 2, "rbf-svm": 6, "knn": 4}[kind]


def test_length_is_one():
    features = np.array([[3.0, 4.0], [0.0, 0.0]], np.float32)
    scaled, tensors = scale_features("length", features, slice(0, 2))
    np.testing.assert_allclose(scaled, [[0.6, 0.8], [0, 0]])
    assert tensors == {}
    with pytest.raises(DatasetError, match="the same features"):
        scale_features("standard", np.ones((4, 2), np.float32), slice(0, 4))


@pytest.mark.parametrize("kind", ["logistic", "rbf-svm", "knn"])
def test_heads_are_read_again_and_damaged_ones_refused(problem, kind):
    head = fitted(problem, kind=kind, c_values=(1.0,)).head
    state = {f"{PREFIX}{name}": value for name, value in head.tensors.items()}
    about = HeadAbout.model_validate(head.plain())
    again = read_head(about, state, n_classes=3, origin="x")
    features = torch.from_numpy(problem[0])
    assert torch.equal(again.probabilities(features), head.probabilities(features))
    assert isinstance(again, Head)
    for name in state:
        fewer = {key: value for key, value in state.items() if key != name}
        with pytest.raises(ManifestError, match="hold tensors"):
            read_head(about, fewer, n_classes=3, origin="x")
        with pytest.raises(ManifestError, match="hold tensors"):
            read_head(about, {**state, name: state[name][:1]}, n_classes=3, origin="x")
    with pytest.raises(ManifestError, match="of a head for 4 classes"):
        read_head(about, state, n_classes=4, origin="x")


def test_a_path_is_fitted_anew_for_other_classes_of_the_same_features(problem):
    features, truth = problem
    path = LogisticPath([1.0], balanced=False, jobs=1)
    for classes in (truth, (truth + 1) % 3):
        actual = path(features, classes, labels=LABELS, c=1.0)
        expected = fit_logistic(features, classes, labels=LABELS, c=1.0, balanced=False)
        np.testing.assert_allclose(actual.decisions(features), expected.decisions(features))
