"""Names of repositories are looked at before a server is asked."""

import pytest

import fgbench
from fgbench.errors import ConfigError


@pytest.mark.parametrize(
    "name",
    ["faces", "me/", "/faces", "me/faces/train", "https://huggingface.co/me/faces", "me/fac es", "", 3],
)
def test_a_name_without_owner_is_refused_before_the_server_is_asked(tmp_path, name):
    nowhere = "http://127.0.0.1:9"
    with pytest.raises(ConfigError, match="expected OWNER/NAME"):
        fgbench.pull(name, tmp_path / "out", endpoint=nowhere)
    with pytest.raises(ConfigError, match="expected OWNER/NAME"):
        fgbench.push(tmp_path, name, endpoint=nowhere)
    assert not list(tmp_path.iterdir())
