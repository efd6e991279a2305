"""Plugins by file name."""

import pytest

from fgbench import entry_points, plugins
from fgbench.errors import ConfigError
from fgbench.workfolders import folder


def test_names_are_the_files_of_the_package():
    assert {"pyav", "decord"} <= set(plugins.names("decoders"))
    assert plugins.names("engines") == sorted(plugins.names("engines"))


def test_hyphen_stands_for_underscore():
    assert plugins.load("datasets", "fg-emotions") is plugins.load("datasets", "fg_emotions")


def test_unknown_plugin_names_the_nearest_and_lists_the_known():
    with pytest.raises(ConfigError, match=r"unknown dataset 'fg_emotion'") as caught:
        plugins.load("datasets", "fg_emotion")
    assert "did you mean 'fg_emotions'" in caught.value.hint


def test_work_folders_are_known_by_the_files_that_mark_them():
    """Plugins are below work folders, so the names stand twice."""
    assert entry_points.WORK_MARKS == (folder.MARKER, folder.RUN_FILE)
