"""A private RabbitMQ node in a temporary folder, to be broken at will.

Everything is the node's own: ports, Erlang port mapper, home, cookie, logs and data. Nothing
listens outside 127.0.0.1, no service of the machine is touched, and only our own children are
ever signalled.
"""

import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self
from urllib.parse import quote

import trustme

# Debian's wrappers in /usr/sbin refuse other users and drop arguments; the real scripts are here.
SEARCH_PATH = f"/usr/lib/rabbitmq/bin:{os.environ.get('PATH', os.defpath)}"
PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"
START_SECONDS = 60
STOP_SECONDS = 20


class Rabbit:
    """One RabbitMQ node, running while its ``with`` block does (or from `start` to `stop`).

    `kill` keeps the node's data, for another `start`; `stop` removes it.

    Parameters
    ----------
    tls
        Listen on `tls_port` as well, with a certificate that `cafile` vouches for.
    """

    def __init__(self, *, tls: bool = False) -> None:
        self.port, self.tls_port, self._dist_port, self._epmd_port = free_ports(4)
        self._tls = tls
        # Short and without a space: RabbitMQ's shell scripts don't quote everywhere.
        self._folder = Path(tempfile.mkdtemp(prefix="nango-rabbit-"))
        self._node: subprocess.Popen[bytes] | None = None
        self._epmd: subprocess.Popen[bytes] | None = None
        self._environment = self._make_environment()
        self._write_files()

    @property
    def cafile(self) -> Path:
        """The certificate authority that signed the node's certificate."""
        return self._folder / "ca.pem"

    def url(
        self, user: str = "guest", password: str = "guest", vhost: str = "/", *, tls: bool = False
    ) -> str:
        """Return the AMQP URL of this node, each part percent-encoded."""
        user, password, vhost = (quote(part, safe="") for part in (user, password, vhost))
        scheme, port = ("amqps", self.tls_port) if tls else ("amqp", self.port)
        return f"{scheme}://{user}:{password}@127.0.0.1:{port}/{vhost}"

    def ctl(self, *arguments: str) -> str:
        """Run rabbitmqctl against this node (about a second) and return what it printed."""
        done = subprocess.run(
            [_program("rabbitmqctl"), "--quiet", *arguments],
            env=self._environment,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if done.returncode:
            raise RuntimeError(f"rabbitmqctl {arguments[0]} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def start(self) -> None:
        """Start the node and wait until it speaks AMQP."""
        if self._node is not None:
            raise RuntimeError("this node is running already")
        if self._epmd is None:
            self._epmd = self._start_epmd()
        self._node = self._spawn(_program("rabbitmq-server"))
        self._wait_for(lambda: _speaks_amqp(self.port), self._node)
        if self._tls:
            self._wait_for(lambda: is_open("127.0.0.1", self.tls_port), self._node)
        self._refuse_to_be_public()

    def stop(self) -> None:
        """End everything for good and leave nothing behind."""
        try:
            self._end_node()
        finally:
            if self._epmd is not None:
                _end(self._epmd)
                self._epmd = None
            shutil.rmtree(self._folder)

    def kill(self) -> None:
        """End the node as a power cut would."""
        self._running().kill()
        self._running().wait()
        self._node = None

    def pause(self) -> None:
        """Freeze the node: connections stay open, nothing answers."""
        self._running().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after `pause`."""
        self._running().send_signal(signal.SIGCONT)

    def heal(self) -> None:
        """Bring the node back if a test left it frozen or dead."""
        if self._node is not None and self._node.poll() is None:
            self.resume()
        else:
            self._node = None
            self.start()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _end_node(self) -> None:
        if self._node is not None:
            self.resume()  # a frozen process would not see the next signal
            _end(self._node)
            self._node = None

    def _make_environment(self) -> dict[str, str]:
        """Build the whole environment: nothing of the user's RabbitMQ or Erlang leaks in."""
        folder = str(self._folder)
        return {
            "PATH": SEARCH_PATH,
            "HOME": folder,
            "LC_ALL": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"nango-{secrets.token_hex(4)}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._dist_port),
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
            # The script then becomes the Erlang process instead of its parent, so the process that
            # we signal is the broker itself.
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-noinput -start_epmd false -kernel inet_dist_use_interface {127,0,0,1} +S 2:2"
            ),
            "RABBITMQ_CTL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1",
        }

    def _write_files(self) -> None:
        cookie = self._folder / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(16))
        cookie.chmod(0o400)
        (self._folder / "enabled_plugins").write_text("[].\n")
        # RabbitMQ refuses to publish when less than 50 MB are free; a test needs far less.
        settings = ["disk_free_limit.absolute = 5MB"]
        if self._tls:
            settings += self._make_certificate()
        (self._folder / "rabbitmq.conf").write_text("\n".join(settings) + "\n")

    def _make_certificate(self) -> list[str]:
        """Write the certificates; return the lines of rabbitmq.conf that use them."""
        authority = trustme.CA()
        certificate = authority.issue_cert("localhost", "127.0.0.1")
        authority.cert_pem.write_to_path(self.cafile)
        certificate.cert_chain_pems[0].write_to_path(self._folder / "cert.pem")
        certificate.private_key_pem.write_to_path(self._folder / "key.pem")
        return [
            f"listeners.ssl.local = 127.0.0.1:{self.tls_port}",
            f"ssl_options.cacertfile = {self.cafile}",
            f"ssl_options.certfile = {self._folder}/cert.pem",
            f"ssl_options.keyfile = {self._folder}/key.pem",
        ]

    def _start_epmd(self) -> subprocess.Popen[bytes]:
        epmd = self._spawn(
            _program("epmd"),
            *("-port", str(self._epmd_port), "-address", "127.0.0.1", "-relaxed_command_check"),
        )
        self._wait_for(lambda: is_open("127.0.0.1", self._epmd_port), epmd)
        return epmd

    def _spawn(self, *command: str) -> subprocess.Popen[bytes]:
        with (self._folder / "output.log").open("ab") as output:
            return subprocess.Popen(
                command,
                env=self._environment,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for the tests, which then stop the node
            )

    def _wait_for(self, ready: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"RabbitMQ did not start:\n{self._last_words()}")
            time.sleep(0.05)

    def _last_words(self) -> str:
        logs = [self._folder / "output.log", self._folder / "log" / "node.log"]
        return "\n".join(log.read_text()[-2000:] for log in logs if log.exists())

    def _refuse_to_be_public(self) -> None:
        """Fail if a port answers on anything but 127.0.0.1; guest/guest must not be reachable."""
        for port in (self.port, self.tls_port, self._dist_port, self._epmd_port):
            # All of 127/8 is this machine, so 127.0.0.2 reaches what is bound to every address.
            if is_open("127.0.0.2", port):
                raise RuntimeError(f"RabbitMQ listens on more than 127.0.0.1 (port {port})")

    def _running(self) -> subprocess.Popen[bytes]:
        if self._node is None:
            raise RuntimeError("this node is not running")
        return self._node


def _program(name: str) -> str:
    found = shutil.which(name, path=SEARCH_PATH)
    if found is None:
        raise RuntimeError(
            f"RabbitMQ is not installed ({name} is missing). On Debian and Ubuntu:"
            " apt-get install --no-install-recommends rabbitmq-server"
        )
    return found


def free_ports(count: int) -> list[int]:
    """Choose ports below the kernel's ephemeral range.

    Otherwise an outgoing connection of a test could take the node's port while it restarts.
    """
    candidates = random.sample(range(20_000, 32_000), k=50)
    return [port for port in candidates if _can_bind(port)][:count]


def _can_bind(port: int) -> bool:
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def is_open(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def _speaks_amqp(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(PROTOCOL_HEADER)
            return connection.recv(1) == b"\x01"
    except OSError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
