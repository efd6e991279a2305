"""Crops of training, votes as targets, and weights that users brought, are told in notes of tables."""

from fgbench.reports.protocols import fairness_notes
from fgbench.runs.training_details import given_details, given_weights

DIGEST = "0123456789abcdef" * 4


def notes(**runs):
    return fairness_notes((name, {"details": details}) for name, details in runs.items())


def test_runs_are_named_by_the_crops_that_they_were_trained_on():
    assert notes(
        a={"training_crops": "five"}, b={"training_crops": "centre"}, c={"training_crops": "five"}, svm={}
    ) == [
        "a, c: trained on five crops of each picture, the corners and the centre, and tested on the centre.",
        "b: trained and tested on the centre crop of each picture.",
    ]


def test_runs_that_learned_from_votes_are_named():
    (note,) = notes(a={"target": "soft"}, b={}, c={"target": "soft"})
    assert note.startswith("a, c: learned from the shares of the annotators' votes (losses.target: soft")


def test_weights_of_the_user_are_named_with_file_and_digest(tmp_path):
    path = tmp_path / "backbone.pth"
    given = given_details(path, DIGEST)
    end = "whether they have seen test clips is not known."
    told = f"started from weights that the user gave (backbone.pth, SHA-256 01234567); {end}"
    assert notes(one=given, two=given) == [f"one, two: {told}"]
    assert notes(one=given_details(None, None)) == []
    assert notes(old={"weights": DIGEST}) == [
        f"old: started from weights that the user gave (SHA-256 01234567); {end}"
    ]


def test_so_are_those_of_a_network_that_is_tested_on_other_data():
    here = {"file": "backbone.pth", "sha256": DIGEST}
    weights = {"run": "insightface/0/0", "sha256": "f" * 64, "initial_weights": here}
    assert given_weights({"weights": weights}) == ("backbone.pth", DIGEST)
    assert given_weights({"weights": {**weights, "initial_weights": None}}) is None
    assert given_weights({"weights": {"run": "older", "sha256": "f" * 64}}) is None


def test_bytes_of_a_name_that_are_no_text_are_written_out(tmp_path):
    assert given_details(tmp_path / "caf\udce9.pth", DIGEST)["weights_file"] == "caf\\xe9.pth"
