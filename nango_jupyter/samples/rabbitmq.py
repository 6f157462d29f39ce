"""What a private RabbitMQ node is started with: for the tutorials, on Binder, and for tests.

Everything is the node's own: ports, Erlang's port mapper, home, cookie, logs and data. Nothing
listens outside of 127.0.0.1, and no user's right is needed to anything outside of its folder.
"""

from __future__ import annotations

import os
import random
import secrets
import shutil
import socket
import ssl
from collections.abc import Mapping
from pathlib import Path

__all__ = [
    "epmd_command",
    "find_program",
    "free_ports",
    "is_open",
    "node_environment",
    "speaks_amqp",
    "write_files",
]

# Debian's wrappers in /usr/sbin refuse other users and drop arguments; the real scripts are in
# the first of these. Then where Homebrew puts them.
_PLACES = ("/usr/lib/rabbitmq/bin", "/opt/homebrew/sbin", "/opt/homebrew/bin", "/usr/local/sbin")
_HEADER = b"AMQP\x00\x00\x09\x01"
_START = 1  # the first byte of a broker's answer: a method
_DISK_FREE = "disk_free_limit.absolute = 5MB"  # its default, 50 MB, stops all that is published


def find_program(name: str, path: str | None = None) -> str | None:
    """Return where a program of RabbitMQ's or Erlang's is; None if it is not installed."""
    return shutil.which(name, path=_search_path() if path is None else path)


def _search_path() -> str:
    return os.pathsep.join([*_PLACES, os.environ.get("PATH", os.defpath)])


def node_environment(
    folder: Path,
    *,
    distribution_port: int,
    epmd_port: int,
    port: int | None = None,
    name: str = "nango",
) -> dict[str, str]:
    """Return the whole environment of a node: nothing of another one's leaks in.

    Parameters
    ----------
    folder : Path
        For all its files. Without a blank in it: RabbitMQ's scripts don't quote everywhere.
    distribution_port, epmd_port : int
        For rabbitmqctl, and for Erlang's port mapper.
    port : int, optional
        For clients without TLS; without it the settings say where the node listens.
    name : str
        The node's, before the ``@``.
    """
    listener = {"RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1", "RABBITMQ_NODE_PORT": str(port)}
    return {
        **({} if port is None else listener),
        "PATH": _search_path(),
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "ERL_CRASH_DUMP_BYTES": "0",
        "ERL_EPMD_PORT": str(epmd_port),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"{name}@localhost",
        "RABBITMQ_DIST_PORT": str(distribution_port),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
        "RABBITMQ_CONFIG_FILES": f"{folder}/conf.d",
        "RABBITMQ_ADVANCED_CONFIG_FILE": f"{folder}/advanced.config",
        "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
        "RABBITMQ_MNESIA_BASE": f"{folder}/data",
        "RABBITMQ_LOG_BASE": f"{folder}/log",
        "RABBITMQ_LOGS": f"{folder}/log/node.log",
        "RABBITMQ_PID_FILE": f"{folder}/node.pid",
        "RABBITMQ_FEATURE_FLAGS_FILE": f"{folder}/feature_flags",
        "RABBITMQ_GENERATED_CONFIG_DIR": f"{folder}/generated",
        # The script then becomes the Erlang process instead of its parent, so that the process
        # that gets a signal is the broker itself.
        "RABBITMQ_ALLOW_INPUT": "1",
        # Two threads that sleep when there is nothing to do.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
            "-noinput -start_epmd false -kernel inet_dist_use_interface {127,0,0,1}"
            " +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none"
        ),
        "RABBITMQ_CTL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1",
    }


def epmd_command(port: int) -> tuple[str, ...]:
    """Return the words that start Erlang's port mapper for one node, behind its program."""
    return ("-port", str(port), "-address", "127.0.0.1", "-relaxed_command_check")


def write_files(folder: Path, settings: Mapping[str, object]) -> None:
    """Write what a node reads when it starts.

    Parameters
    ----------
    folder : Path
    settings : mapping of str to object
        Lines of rabbitmq.conf.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cookie = folder / ".erlang.cookie"
    if not cookie.exists():
        cookie.touch(mode=0o600)
        cookie.write_text(secrets.token_hex(16))
        cookie.chmod(0o400)
    (folder / "enabled_plugins").write_text("[].\n")
    lines = [_DISK_FREE, *(f"{name} = {value}" for name, value in settings.items())]
    (folder / "rabbitmq.conf").write_text("\n".join(lines) + "\n")


def speaks_amqp(port: int, context: ssl.SSLContext | None = None) -> bool:
    """Tell whether a broker answers on a port of this machine; with a context, by TLS."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as plain:
            if context is None:
                return _greet(plain)
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
                return _greet(connection)
    except OSError:
        return False


def _greet(connection: socket.socket) -> bool:
    connection.sendall(_HEADER)
    return connection.recv(1) == bytes([_START])


def free_ports(count: int) -> list[int]:
    """Choose ports below the kernel's ephemeral range.

    Otherwise an outgoing connection could take a node's port while it restarts.
    """
    candidates = random.sample(range(20_000, 32_000), k=50)
    return [port for port in candidates if _can_listen(port)][:count]


def _can_listen(port: int) -> bool:
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def is_open(host: str, port: int) -> bool:
    """Tell whether somebody listens there."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True
