"""Clusters of samples: by subject, else source, else clip, of each sample by itself."""

import pytest

from fgbench.evaluation.clusters import cluster_names, cluster_summary, few_clusters_notes


def test_each_sample_goes_by_what_is_known_of_it():
    names = cluster_names(
        subject_ids=["anna", None, None, "anna", None],
        source_ids=["film", "film", None, None, "film"],
        clip_ids=["c0", "c1", "film", "c3", "c4"],
    )
    assert names == ("subject anna", "source film", "clip film", "subject anna", "source film")


def test_one_unknown_subject_does_not_take_the_subjects_from_the_others():
    subjects = [f"s{index % 4}" for index in range(40)]
    clips = [f"c{index}" for index in range(40)]
    known = cluster_names(subject_ids=subjects, source_ids=[None] * 40, clip_ids=clips)
    actual = cluster_names(subject_ids=[None, *subjects[1:]], source_ids=[None] * 40, clip_ids=clips)
    assert actual == ("clip c0", *known[1:])


def test_clusters_are_told_by_kind():
    assert cluster_summary(["subject a", "subject b", "subject a"]) == "2 subjects"
    assert cluster_summary(["clip x", "source f", "subject a", "clip y"]) == "1 subject, 1 source and 2 clips"
    assert cluster_summary([]) == "no clusters"


def test_few_clusters_are_told_below_thirty():
    assert few_clusters_notes(30) == []
    assert few_clusters_notes(29) == [
        "Intervals of 29 clusters, fewer than 30, are a rough guide: they may be too narrow."
    ]
    assert few_clusters_notes(5) == [
        "Intervals of 5 clusters, fewer than 30, are a rough guide: they may be too narrow."
    ]
    assert few_clusters_notes(4) == ["Fewer than five persons, or films or clips (here 4): no interval."]


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="zip"):
        cluster_names(subject_ids=["a"], source_ids=[None], clip_ids=["c", "d"])
