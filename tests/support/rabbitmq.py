"""A private RabbitMQ node in a temporary folder, to be broken at will.

Everything is the node's own: ports, Erlang port mapper, home, cookie, logs and data. Nothing
listens outside 127.0.0.1, no service of the machine is touched, and only our own children are
ever signalled.
"""

import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self
from urllib.parse import quote

import trustme

from nango_jupyter.samples.rabbitmq import (
    epmd_command,
    find_program,
    free_ports,
    is_open,
    node_environment,
    speaks_amqp,
    write_files,
)

# Other than the machine's own, for a test of what is said where there is no RabbitMQ.
SEARCH_PATH: str | None = None
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
        write_files(self._folder, self._make_certificate() if tls else {})

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
        self._wait_for(lambda: speaks_amqp(self.port), self._node)
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
        return node_environment(
            self._folder,
            port=self.port,
            distribution_port=self._dist_port,
            epmd_port=self._epmd_port,
            name=f"nango-{secrets.token_hex(4)}",
        )

    def _make_certificate(self) -> dict[str, object]:
        """Write the certificates; return the settings that use them."""
        authority = trustme.CA()
        certificate = authority.issue_cert("localhost", "127.0.0.1")
        authority.cert_pem.write_to_path(self.cafile)
        certificate.cert_chain_pems[0].write_to_path(self._folder / "cert.pem")
        certificate.private_key_pem.write_to_path(self._folder / "key.pem")
        return {
            "listeners.ssl.local": f"127.0.0.1:{self.tls_port}",
            "ssl_options.cacertfile": self.cafile,
            "ssl_options.certfile": self._folder / "cert.pem",
            "ssl_options.keyfile": self._folder / "key.pem",
        }

    def _start_epmd(self) -> subprocess.Popen[bytes]:
        epmd = self._spawn(_program("epmd"), *epmd_command(self._epmd_port))
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
    found = find_program(name, SEARCH_PATH)
    if found is None:
        raise RuntimeError(
            f"RabbitMQ is not installed ({name} is missing). On Debian and Ubuntu:"
            " apt-get install --no-install-recommends rabbitmq-server"
        )
    return found


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
