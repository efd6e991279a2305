"""Errors and exit codes."""

import copy

import pytest

from fgbench import errors


def test_exit_codes_are_the_documented_ones():
    assert {leaf.__name__: code for leaf, code in errors.EXIT_CODES.items()} == {
        "ConfigError": 3,
        "DatasetError": 4,
        "MediaError": 5,
        "RejectRateError": 6,
        "ManifestError": 7,
        "ResourceError": 8,
        "DependencyError": 9,
        "WorkerError": 10,
        "LeakError": 11,
        "ShardError": 12,
    }


def test_a_subclass_of_a_leaf_has_the_code_of_the_leaf():
    from fgbench.taxonomy import UnknownLabelError

    assert errors.exit_code(UnknownLabelError("x")) == 3


@pytest.mark.parametrize("leaf", list(errors.EXIT_CODES))
def test_errors_survive_the_way_from_a_worker(leaf):
    error = copy.copy(leaf("what", "do this"))  # copies as pickle does between processes
    assert (type(error), error.message, error.hint) == (leaf, "what", "do this")


def test_media_errors_keep_their_reason():
    error = copy.copy(errors.MediaError("what", "hint", reason="empty_file"))
    assert error.reason == "empty_file"
