"""Errors as one clear message."""

import errno
import os

import pytest

from fgbench.cli.console import errors_explained


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOSPC, errno.EFBIG, errno.EMFILE, errno.EIO])
def test_failures_of_the_system_are_one_clear_error(capsys, number):
    with pytest.raises(SystemExit) as ended, errors_explained():
        raise OSError(number, os.strerror(number), "recipe.yaml")
    assert ended.value.code == 8
    told = capsys.readouterr().err
    assert f"error: cannot read or write recipe.yaml: {os.strerror(number)}\n  " in told


def test_short_memory_is_one_clear_error(capsys):
    with pytest.raises(SystemExit) as ended, errors_explained():
        raise MemoryError
    assert ended.value.code == 8
    assert "error: out of memory\n  " in capsys.readouterr().err


def test_other_failures_stay_what_they_are():
    with pytest.raises(FileNotFoundError), errors_explained():
        raise FileNotFoundError(errno.ENOENT, "No such file", "x")
