"""Where to connect: one frozen object from a host, a URL or the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.secrets import Secret, redact, remember

if TYPE_CHECKING:
    import ssl  # it takes long to load, and most notebooks need none

__all__ = ["MAX_TIMEOUT", "Settings", "check_timeout", "password_in"]

# RabbitMQ takes a message's expiration as at most 2**32 - 1 milliseconds.
MAX_TIMEOUT = 4_294_967.0

_DEFAULT_USER = "guest"
_PORTS = {"amqp": 5672, "amqps": 5671}
_TLS_OPTIONS = frozenset({"cafile", "capath", "cadata", "certfile", "keyfile", "no_verify_ssl"})
_URL_OPTIONS = _TLS_OPTIONS | {"heartbeat", "timeout", "name", "auth"}
_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://"
    r"(?:(?P<user>[^:@/?#]*)(?::(?P<password>[^@/?#]*))?@)?"
    r"(?P<host>\[[^\]@/?#]+\]|[^:@/?#\[\]]*)(?::(?P<port>[0-9]{0,5}))?"
    # An @ here would be the end of a password with a slash or a question mark in it.
    r"(?P<vhost>/[^?#@]*)?(?:\?(?P<query>[^#@]*))?",
    re.IGNORECASE,
)
_ENCODE = (
    "Write amqp://USER:PASSWORD@HOST:PORT/VHOST; special characters in the user or the password "
    "must be percent-encoded: urllib.parse.quote(password, safe='')."
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where the broker is and how to talk to it.

    Attributes
    ----------
    host : str
        Name or address; an IPv6 address without brackets.
    port : int
    username : str
    password : Secret
    needs_password : bool
        Whether there is a user and no password for it: the caller finds one, or asks for it (see
        `with_password`). Otherwise RabbitMQ's default password is tried.
    vhost : str
    tls : bool
    timeout : float
        Default time limit of a request and of connecting, in seconds.
    heartbeat : int
        AMQP heartbeat, in seconds; 0 turns it off.
    ssl_context : ssl.SSLContext or None
    options : mapping of str to str
        What else the URL's query said: cafile, certfile, keyfile, no_verify_ssl, name, auth.
    """

    host: str = "localhost"
    port: int = 5672
    username: str = _DEFAULT_USER
    password: Secret = field(default_factory=lambda: Secret("guest"))
    needs_password: bool = False
    vhost: str = "/"
    tls: bool = False
    timeout: float = 30.0
    heartbeat: int = 60
    ssl_context: ssl.SSLContext | None = field(default=None, repr=False)
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        if not self.host or re.search(r"[\s/@\x00]", self.host):
            raise NangoUsageError(f"{self.host!r} is not a host name", "Give a host, or a URL.")
        _check_port(self.port)
        check_timeout(self.timeout)
        whole = isinstance(self.heartbeat, int) and not isinstance(self.heartbeat, bool)
        if not whole or not 0 <= self.heartbeat <= 65535:
            raise NangoUsageError(
                f"heartbeat is {self.heartbeat!r}", "Give whole seconds from 0 (off) to 65535."
            )

    @property
    def address(self) -> str:
        """Where this leads, without user and password: ``amqps://host:5671/vhost``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        path = "" if self.vhost == "/" else "/" + quote(self.vhost, safe="")
        return f"{'amqps' if self.tls else 'amqp'}://{host}:{self.port}{path}"

    def with_password(self, password: Secret) -> Settings:
        """Return the same settings with a password."""
        return replace(self, password=password, needs_password=False)

    @classmethod
    def from_target(cls, target: str, port: int | None = None, **known: Any) -> Settings:
        """Read ``HOST``, ``HOST:PORT`` or a URL.

        Parameters
        ----------
        target : str
        port : int, optional
            Port where `target` names none.
        **known
            Attributes that win over what the URL says, where they are not None.

        Raises
        ------
        NangoUsageError
            If `target` can't be read.
        """
        if not isinstance(target, str):
            raise NangoUsageError(f"host is a {type(target).__name__}", "Give a str.")
        given = {name: value for name, value in known.items() if value is not None}
        if "ssl_context" in given:
            given["tls"] = True
        if "://" in target:
            found = _read_url(target)
            if "username" in given and given["username"] != found.get("username"):
                found.pop("password", None)  # it is another user's
        else:
            host, own_port = _split_host(target)
            if own_port is None:
                own_port = _PORTS["amqp"] if port is None else port
            found = {"host": host, "port": own_port}
        found |= given
        is_known = found.get("username", _DEFAULT_USER) == _DEFAULT_USER or "password" in found
        return cls(**{"needs_password": not is_known, **found})

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ, **known: Any) -> Settings:
        """Read NANGO_URL, else NANGO_HOST and NANGO_PORT, else localhost:5672.

        A password that the URL leaves out comes from NANGO_PASSWORD. Parameters and errors are
        otherwise those of `from_target`.
        """
        if url := environ.get("NANGO_URL"):
            found = cls.from_target(url, **known)
            password = environ.get("NANGO_PASSWORD")
            if password and found.needs_password:
                return found.with_password(Secret(password))
            return found
        port = environ.get("NANGO_PORT") or None
        if port is not None and not re.fullmatch(r"[0-9]{1,5}", port):
            raise NangoUsageError(f"NANGO_PORT is {port!r}", "Set it to a number, such as 5672.")
        host = environ.get("NANGO_HOST") or "localhost"
        return cls.from_target(host, None if port is None else int(port), **known)


def password_in(url: str) -> str:
    """Return the password in a URL, as far as it can be told in one that is wrong; "" if none."""
    found = re.search(r"\w://[^/?#]*?:(.+)@", url)
    return found[1] if found else ""


def check_timeout(timeout: float) -> float:
    """Return the time limit in seconds, or say why it can't be one."""
    number = isinstance(timeout, int | float) and not isinstance(timeout, bool)
    if not number or not 0 < timeout <= MAX_TIMEOUT:
        raise NangoUsageError(
            f"timeout is {timeout!r}", f"Give seconds, more than 0 and at most {MAX_TIMEOUT:.0f}."
        )
    return float(timeout)


def _check_port(port: object) -> None:
    if not isinstance(port, int) or isinstance(port, bool) or not 0 < port < 65536:
        raise NangoUsageError(f"port is {port!r}", "Give a number from 1 to 65535.")


def _split_host(target: str) -> tuple[str, int | None]:
    """Split ``HOST[:PORT]``; several colons without brackets are an IPv6 address."""
    target = target.strip()
    if "@" in target:  # a password may stand before it: nothing is repeated
        raise NangoUsageError("A user or password needs a URL around it", _ENCODE)
    if target.count(":") > 1 and not target.startswith("["):
        return target, None
    match = re.fullmatch(r"(?:\[([^\]]+)\]|([^:]*))(?::([0-9]{1,5}))?", target)
    if not match:
        raise NangoUsageError(
            f"{redact(target)!r} is not HOST or HOST:PORT", "For example localhost:5672."
        )
    return match[1] or match[2], int(match[3]) if match[3] else None


def _read_url(url: str) -> dict[str, Any]:
    """Read an AMQP URL by https://www.rabbitmq.com/docs/uri-spec.

    One difference: a lone slash after the host is the vhost "/", as Python's AMQP libraries have
    it, not the vhost with the empty name.
    """
    match = _URL.fullmatch(url.strip())
    if not match:  # whatever it holds may be a password: nothing of it is repeated
        raise NangoUsageError("The URL can't be read", _ENCODE)
    scheme = match["scheme"].lower()
    if scheme not in _PORTS:
        raise NangoUsageError(f"The URL begins with {scheme}://", "Use amqp:// or amqps://.")
    found: dict[str, Any] = {
        "host": unquote(match["host"]).strip("[]") or "localhost",
        "port": int(match["port"] or _PORTS[scheme]),
        "tls": scheme == "amqps",
        "vhost": unquote((match["vhost"] or "")[1:]) or "/",
    }
    if match["user"]:
        found["username"] = unquote(match["user"])
    if match["password"] is not None:
        remember(match["password"])
        found["password"] = Secret(unquote(match["password"]))
    return found | _read_options(match["query"] or "")


def _read_options(query: str) -> dict[str, Any]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := sorted(set(options) - _URL_OPTIONS):
        raise NangoUsageError(
            f"The URL has unknown options: {', '.join(unknown)}",
            f"Known are {', '.join(sorted(_URL_OPTIONS))}.",
        )
    found: dict[str, Any] = {}
    try:
        if "timeout" in options:
            found["timeout"] = float(options.pop("timeout"))
        if "heartbeat" in options:
            found["heartbeat"] = int(options.pop("heartbeat"))
    except ValueError:
        raise NangoUsageError("The URL's timeout or heartbeat is not a number") from None
    return {**found, "options": MappingProxyType(options)}
