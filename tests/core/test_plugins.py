"""Plugins by file name."""

import pytest

from fgbench import plugins
from fgbench.errors import ConfigError


def test_names_are_the_files_of_the_package():
    assert {"pyav", "decord"} <= set(plugins.names("decoders"))
    assert plugins.names("engines") == sorted(plugins.names("engines"))


def test_hyphen_stands_for_underscore():
    assert plugins.load("datasets", "fg-emotions") is plugins.load("datasets", "fg_emotions")


def test_unknown_plugin_names_the_nearest_and_lists_the_known():
    with pytest.raises(ConfigError, match=r"unknown dataset 'fg_emotion'") as caught:
        plugins.load("datasets", "fg_emotion")
    assert "did you mean 'fg_emotions'" in caught.value.hint
