"""Secrets hide: in their own repr, and in everything that is drawn or logged."""

import copy
import pickle
import threading
import time
from typing import Any

import pytest

from nango_jupyter import secrets
from nango_jupyter.secrets import (
    MASK,
    Secret,
    is_secret_name,
    redact,
    redact_value,
    remember,
    reveal,
)


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins with no secrets known, and leaves none."""
    monkeypatch.setattr(secrets, "_known", secrets._Known())


def test_a_secret_shows_nowhere() -> None:
    secret = Secret("xoxb-123456")
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret:>20}",
        f"{secret!r}",
        str.format("{}", secret),
    ]
    shown += [repr([secret]), repr({"a": secret})]
    assert not any("xoxb" in text for text in shown)
    assert secret.reveal() == reveal(secret) == reveal("xoxb-123456") == "xoxb-123456"
    assert not hasattr(secret, "__dict__")


def test_a_pickle_does_not_hold_it_and_a_copy_does() -> None:
    secret = Secret("xoxb-123456")
    assert b"xoxb" not in pickle.dumps(secret)
    assert copy.copy(secret) == copy.deepcopy([secret])[0] == secret


def test_comparing_and_truth() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert not Secret("")


@pytest.mark.parametrize("value", [None, 1, b"x", Secret("x")])
def test_only_text_is_a_secret(value: Any) -> None:
    with pytest.raises(TypeError, match="a secret is a str"):
        Secret(value)


@pytest.mark.parametrize(
    "text",
    [
        "the token p@ss/w:rd% is wrong",
        "amqp://u:p%40ss%2Fw%3Ard%25@host",
        "password=p%40ss%2Fw%3Ard%25&x=1",
        "p@ss/w:rd%p@ss/w:rd%",
    ],
)
def test_all_spellings_of_a_secret_are_masked(text: str) -> None:
    remember("p@ss/w:rd%")
    shown = redact(text)
    assert MASK in shown
    assert "ss" not in shown.replace("password=", "")


def test_escaped_spellings() -> None:
    secret = 'qu"ote\\back\nñ🎉'
    remember(secret)
    import json

    for text in (json.dumps(secret), json.dumps(secret, ensure_ascii=False), repr(secret)):
        assert redact(text)[1:-1] == MASK


def test_the_longer_secret_goes_first() -> None:
    remember("abcdef")
    remember("abcdef-ghijkl")
    assert redact("x abcdef-ghijkl abcdef y") == f"x {MASK} {MASK} y"


@pytest.mark.parametrize("text", ["abc", "", "guest"])
def test_what_hides_nothing_is_left(text: str) -> None:
    remember(text)
    assert redact("abc guest") == "abc guest"


def test_short_secrets_are_masked_as_whole_words_only() -> None:
    remember("demo")
    assert redact("demo demonstration (demo)") == f"{MASK} demonstration ({MASK})"


def test_a_lone_surrogate_is_remembered_without_fuss() -> None:
    Secret("abc\ud800def")
    assert redact("x abc\ud800def y") == f"x {MASK} y"


def test_thousands_of_secrets_are_no_burden() -> None:
    started = time.perf_counter()
    for number in range(2000):
        remember(f"token-{number:06}")
        assert redact("nothing to see") == "nothing to see"
    assert redact("a token-001234 b") == f"a {MASK} b"
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    "name",
    [
        "token",
        "access_token",
        "oAuthAccessToken",
        "refresh-token",
        "X-Api-Key",
        "apikey",
        "client_secret",
        "oauth_token_secret",
        "Password",
        "passphrase",
        "Authorization",
        "Set-Cookie",
        "basic_auth_encoded",
        "private_key",
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["", "key", "user", "next_page_token", "cursorToken", "total_tokens", "secretary", "id"]
)
def test_other_names(name: str) -> None:
    assert not is_secret_name(name)


def test_values_are_masked_by_their_name_and_by_what_is_known() -> None:
    remember("xoxb-123456")
    value = {
        "access_token": "anything",
        "refresh_token": "",
        "api_key": 12345,
        "password": None,
        "has_token": {"token": True},
        "list": [{"token": "a"}, "say xoxb-123456", 1.5],
        "xoxb-123456": (1, "two"),
        "passwords": {"password": ["a", "b"]},
    }
    before = copy.deepcopy(value)
    assert redact_value(value) == {
        "access_token": MASK,
        "refresh_token": "",
        "api_key": MASK,
        "password": None,
        "has_token": {"token": True},
        "list": [{"token": MASK}, f"say {MASK}", 1.5],
        MASK: [1, "two"],
        "passwords": {"password": [MASK, MASK]},
    }
    assert value == before


def test_passwords_of_urls_are_masked() -> None:
    assert redact("see amqps://ada:p:w/d@host:1/v") == f"see amqps://ada:{MASK}@host:1/v"
    assert redact("at https://host/path?x=a@b") == "at https://host/path?x=a@b"
    assert redact("/x?a=1&access_token=abc&b=2") == f"/x?a=1&access_token={MASK}&b=2"
    assert redact("Authorization: Bearer abc.def, x") == f"Authorization: Bearer {MASK}, x"
    assert redact("the authorization of bearer bonds") == "the authorization of bearer bonds"


def test_the_secrets_of_thousands_are_found_in_short_and_long_texts() -> None:
    tokens = [f"{number:05d}-of-a-user" for number in range(5000)]
    for token in tokens:
        remember(token)
    assert redact(f"a {tokens[0]}, {tokens[4999]}") == "a ••••••, ••••••"
    assert redact("05000-of-a-user") == "05000-of-a-user"
    assert redact("abc") == "abc"
    assert redact("x " * 50_000 + tokens[7]) == "x " * 50_000 + "••••••"


def test_a_short_text_is_not_compared_with_thousands_of_secrets() -> None:
    for number in range(5000):
        remember(f"secret-number-{number}")
    assert not list(secrets._known._candidates("a line of a log, with nothing in it"))


def test_secrets_are_remembered_in_one_thread_and_masked_in_another() -> None:
    done = threading.Event()

    def learn() -> None:
        for number in range(3000):
            remember(f"{number}-learnt-in-a-thread")
        done.set()

    threading.Thread(target=learn).start()
    while not done.is_set():
        redact("x" * 5000)
    assert redact("2999-learnt-in-a-thread") == MASK
