"""Passwords and tokens from variables and from a keyring, which may be missing or locked."""

import builtins
import sys
from collections.abc import Iterator
from typing import Any, ClassVar

import keyring
import keyring.backend
import keyring.errors
import pytest

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.secret_sources import find_password, find_token, from_environment
from nango_jupyter.secrets import MASK, redact


class Keys(keyring.backend.KeyringBackend):
    """A keyring in memory, or one that fails."""

    priority: ClassVar[float] = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}
        self.failure: Exception | None = None

    def get_password(self, service: str, username: str) -> str | None:
        if self.failure:
            raise self.failure
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


@pytest.fixture
def keys() -> Iterator[Keys]:
    before = keyring.get_keyring()
    found = Keys()
    keyring.set_keyring(found)
    yield found
    keyring.set_keyring(before)


def test_a_password_of_a_broker(keys: Keys) -> None:
    assert find_password("ada", "h", 5672) is None
    keyring.set_password("nango-jupyter", "ada@h", "any-port-1")
    keyring.set_password("nango-jupyter", "ada@h:5671", "hunter22")
    keyring.set_password("nango-jupyter", "ada@[::1]:5672", "six-six-6")
    keyring.set_password("work", "ada@h:5671", "work-word")
    found = find_password("ada", "h", 5671)
    assert found is not None
    assert found.reveal() == "hunter22"
    assert redact("it is hunter22") == f"it is {MASK}"
    found = find_password("ada", "h", 5672)
    assert found is not None
    assert found.reveal() == "any-port-1"
    found = find_password("ada", "::1", 5672)
    assert found is not None
    assert found.reveal() == "six-six-6"
    found = find_password("ada", "h", 5671, service="work")
    assert found is not None
    assert found.reveal() == "work-word"
    assert find_password("bob", "h", 5671) is None


def test_a_token_of_a_user_whose_id_keeps_its_type(keys: Keys) -> None:
    keyring.set_password("nango-jupyter", "slack/1", "token-of-1")
    assert find_token("slack", "2") is None
    for user in (1, "1"):
        found = find_token("slack", user)
        assert found is not None
        assert found.reveal() == "token-of-1"
    keyring.set_password("nango-jupyter", 'slack/"1"', "token-of-text")
    texts = [find_token("slack", user) for user in (1, "1")]
    assert [found.reveal() for found in texts if found] == ["token-of-1", "token-of-text"]


@pytest.mark.parametrize(
    "failure",
    [
        keyring.errors.NoKeyringError("No backend was available. Install one.\nSee"),
        keyring.errors.KeyringLocked("locked\nwith more lines"),
        keyring.errors.InitError("no session bus"),
        RuntimeError(),
    ],
    ids=["none", "locked", "init", "any"],
)
def test_a_keyring_that_fails_is_none_unless_it_was_asked_for(
    keys: Keys, failure: Exception
) -> None:
    keys.failure = failure
    assert find_token("slack", "ada") is None
    with pytest.raises(NangoUsageError, match="The keyring can't be read: ") as caught:
        find_token("slack", "ada", service="nango-jupyter")
    assert "\n" not in caught.value.message
    assert not caught.value.message.endswith((": ", "."))
    assert "Install" not in caught.value.message


def test_what_the_keyring_does_not_have(keys: Keys) -> None:
    with pytest.raises(NangoUsageError, match="has no slack/ada for the service mine") as caught:
        find_token("slack", "ada", service="mine")
    assert "keyring set mine slack/ada" in caught.value.hint


def test_keyring_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any) -> Any:
        if name == "keyring":
            raise ModuleNotFoundError("No module named 'keyring'", name="keyring")
        return real(name, *args)

    monkeypatch.delitem(sys.modules, "keyring")
    monkeypatch.setattr(builtins, "__import__", without)
    assert find_password("ada", "h", 1) is None
    with pytest.raises(NangoUsageError, match="package keyring is not installed") as caught:
        find_password("ada", "h", 1, service="nango-jupyter")
    assert caught.value.hint == "Run: %pip install keyring"


def test_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    assert from_environment("TOKEN", environ={"TOKEN": "tok-123456"}).reveal() == "tok-123456"
    assert redact("tok-123456") == MASK
    for environ in ({}, {"TOKEN": ""}):
        with pytest.raises(NangoUsageError, match="variable TOKEN is not set, or empty"):
            from_environment("TOKEN", environ=environ)
    with pytest.raises(NangoUsageError) as caught:
        from_environment("xoxb-pasted-here", environ={})
    assert "xoxb" not in f"{caught.value.message}{caught.value.hint}"
    monkeypatch.setenv("H4_TOKEN", "from-variable")
    found = find_token("slack", "ada", environ_name="H4_TOKEN")
    assert found is not None
    assert found.reveal() == "from-variable"
    with pytest.raises(NangoUsageError, match="variable NOT_SET"):
        find_token("slack", "ada", environ_name="NOT_SET")
