"""What 05_for_real.ipynb starts and breaks: a RabbitMQ and Nango servers, private to the notebook.

Everything lies in one temporary folder, listens on 127.0.0.1 only, and is ended by `Playground.end`
or with the kernel, however that ends.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

__all__ = ["Broker", "Playground", "Server"]

# Debian's scripts behind its wrappers, which refuse other users; then where Homebrew puts them.
SEARCH_PATH = ":".join(
    [
        *("/usr/lib/rabbitmq/bin", "/opt/homebrew/sbin", "/opt/homebrew/bin", "/usr/local/sbin"),
        os.environ.get("PATH", os.defpath),
    ]
)
INSTALL = (
    "Install one, and run this notebook again from the top. On Debian and Ubuntu:\n"
    "    sudo apt-get install --no-install-recommends rabbitmq-server\n"
    "On a Mac: brew install rabbitmq"
)
# Set by binder/start: the folder with the logs of what it runs, and with a file "status".
BINDER_VARIABLE = "NANGO_BINDER_LOGS"
BINDER_SECONDS = 30

USER, VHOST = "fernwood", "shop"
PASSWORD_VARIABLE = "SHOP_PASSWORD"  # noqa: S105 - a name
START_SECONDS = 60
STOP_SECONDS = 10
PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"

# Outlives the kernel: when that is gone, whatever way, the pipe ends, and so does the rest.
GUARDIAN = """
import os, shutil, signal, sys, time
running = set()
for line in sys.stdin:
    pid = int(line[1:])
    running.add(pid) if line[0] == "+" else running.discard(pid)
for number in [signal.SIGTERM, *[0] * 20, signal.SIGKILL]:
    for pid in list(running):
        try:
            os.kill(pid, number)
        except OSError:
            running.discard(pid)
    if running:
        time.sleep(0.2)
shutil.rmtree(sys.argv[1], ignore_errors=True)
"""


class Playground:
    """A broker with TLS, servers behind it, and a project folder for the notebook.

    A cell whose first line is ``# needs RabbitMQ`` only says so where there is none.

    Parameters
    ----------
    search_path : str
        Where RabbitMQ's programs are looked for.

    Attributes
    ----------
    folder : Path
        The project: integrations in ``integrations``, and the certificate in ``ca.pem``.
    """

    _current: Playground | None = None

    def __init__(self, search_path: str = SEARCH_PATH) -> None:
        if Playground._current is not None:  # the cell is run once more
            Playground._current.end()
        Playground._current = self
        self._came_from = Path.cwd()
        # Short and without a blank: RabbitMQ's shell scripts don't quote everywhere.
        self.folder = Path(tempfile.mkdtemp(prefix="nango-shop-")).resolve()
        (self.folder / "integrations" / "warehouse").mkdir(parents=True)
        self._guardian = subprocess.Popen(
            [sys.executable, "-I", "-c", GUARDIAN, str(self.folder)],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._servers: list[Server] = []
        self._advice = "Run the notebook from the top: its first cells start a RabbitMQ."
        self._is_ready = False
        self.broker = Broker(self, search_path)
        _replace_transformer(self._read_first_line)

    def start_broker(self) -> None:
        """Start the broker, or start it again; where that can't be, print what to do."""
        begun = time.monotonic()
        try:
            self.broker.start()
        except (OSError, RuntimeError) as error:
            self._is_ready, self._advice = False, str(error)
            print(f"{error}\n\nUntil then, each cell that needs RabbitMQ says so.")
            return
        self._is_ready = True
        print(f"RabbitMQ runs at {self.broker.address}, after {time.monotonic() - begun:.1f} s.")

    def serve(self, *names: str) -> list[Server]:
        """Start Nango servers on the folder ``integrations``, and wait until all are ready."""
        servers = [Server(self, name) for name in names]
        self._servers += servers
        for server in servers:
            server.wait_ready()
            print(f"Server {server.name} is ready: nango-jupyter serve integrations")
        return servers

    def end(self) -> None:
        """End everything that was started, and remove the folder."""
        running = [server.process for server in self._servers if server.process.poll() is None]
        _end(*running)
        for process in self.broker.processes:  # its data go as well, so it need not tidy up
            if process.poll() is None:
                process.kill()
                process.wait()
                running.append(process)
        for process in running:
            self.forget(process)
        os.chdir(self._came_from)
        if self._guardian.stdin is not None:
            self._guardian.stdin.close()
        self._guardian.wait(STOP_SECONDS)
        self._is_ready = False
        Playground._current = None
        count = len(running)
        print(f"{count} processes ended, and the folder is gone." if count else "Nothing runs.")

    def spawn(
        self, command: Sequence[str], environment: dict[str, str], log: Path
    ) -> subprocess.Popen[bytes]:
        """Start a process that ends with the kernel at the latest."""
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                env=environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # the kernel's interrupt is not for it
            )
        self._tell(f"+{process.pid}")
        return process

    def forget(self, process: subprocess.Popen[bytes]) -> None:
        """Leave a process alone that has ended: its number may be another's by now."""
        self._tell(f"-{process.pid}")

    def _tell(self, line: str) -> None:
        assert self._guardian.stdin is not None
        self._guardian.stdin.write(f"{line}\n")
        self._guardian.stdin.flush()

    def _read_first_line(self, lines: list[str]) -> list[str]:
        """Let a cell say what is missing, in the place of what it would do."""
        wanted = lines[0].strip() if lines else ""
        missing = ""
        if wanted == "# needs RabbitMQ" and not self._is_ready:
            missing = f"This cell needs RabbitMQ. {self._advice}"
        elif wanted == "# needs Binder":
            missing = _missing_on_binder()
        return [f"print({missing!r})\n"] if missing else lines


class Broker:
    """One RabbitMQ node with TLS, one user and one virtual host."""

    def __init__(self, playground: Playground, search_path: str) -> None:
        self.port, self._dist_port, self._epmd_port = _free_ports(3)
        self._playground = playground
        self._path = search_path
        self._folder = playground.folder / "rabbitmq"
        self._name = f"nango-{secrets.token_hex(4)}@localhost"
        self._epmd: subprocess.Popen[bytes] | None = None
        self._node: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"amqps://127.0.0.1:{self.port}"

    @property
    def processes(self) -> list[subprocess.Popen[bytes]]:
        """What runs, the broker first."""
        return [process for process in (self._node, self._epmd) if process is not None]

    def start(self) -> None:
        """Start, with the data that a broker before it has left."""
        if self._node is not None and self._node.poll() is None:
            return
        server, epmd = self._program("rabbitmq-server"), self._program("epmd")
        if not self._folder.exists():
            self._write_files()
        log = self._folder / "output.log"
        if self._epmd is None:
            words = ("-port", str(self._epmd_port), "-address", "127.0.0.1")
            self._epmd = self._playground.spawn(
                [epmd, *words, "-relaxed_command_check"], self._environment(), log
            )
        _wait_for(lambda: _accepts(self._epmd_port), self._epmd, log)
        self._node = self._playground.spawn([server], self._environment(), log)
        _wait_for(self._speaks_amqp, self._node, log)

    def kill(self) -> None:
        """End it as a power cut would; its data stay."""
        if self._node is not None:
            self._node.kill()
            self._node.wait()
            self._playground.forget(self._node)

    def _program(self, name: str) -> str:
        found = shutil.which(name, path=self._path)
        if found is None:
            raise RuntimeError(f"There is no RabbitMQ on this machine. {INSTALL}")
        return found

    def _environment(self) -> dict[str, str]:
        """Return all of it: nothing of another RabbitMQ on this machine leaks in."""
        folder = self._folder
        return {
            "PATH": self._path,
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self._name,
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
            # The script becomes the broker itself, so that a signal reaches it.
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-noinput -start_epmd false -kernel inet_dist_use_interface {127,0,0,1} +S 2:2"
            ),
        }

    def _write_files(self) -> None:
        folder = self._folder
        folder.mkdir()
        cookie = folder / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(16))
        cookie.chmod(0o400)
        (folder / "enabled_plugins").write_text("[].\n")
        (folder / "definitions.json").write_text(json.dumps(_definitions()))
        _write_certificates(folder, self._playground.folder / "ca.pem")
        settings = {
            "listeners.tcp": "none",
            "listeners.ssl.local": f"127.0.0.1:{self.port}",
            "ssl_options.cacertfile": self._playground.folder / "ca.pem",
            "ssl_options.certfile": folder / "cert.pem",
            "ssl_options.keyfile": folder / "key.pem",
            "load_definitions": folder / "definitions.json",
            "disk_free_limit.absolute": "5MB",
        }
        lines = [f"{name} = {value}\n" for name, value in settings.items()]
        (folder / "rabbitmq.conf").write_text("".join(lines))

    def _speaks_amqp(self) -> bool:
        context = ssl.create_default_context(cafile=str(self._playground.folder / "ca.pem"))
        try:
            with (
                socket.create_connection(("127.0.0.1", self.port), timeout=2) as plain,
                context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
            ):
                connection.sendall(PROTOCOL_HEADER)
                return connection.recv(1) == b"\x01"
        except OSError:
            return False


class Server:
    """``nango-jupyter serve integrations`` as a process.

    Attributes
    ----------
    name : str
        Its actions find it in the environment, as SERVER_NAME.
    """

    def __init__(self, playground: Playground, name: str) -> None:
        self.name = name
        self._playground = playground
        self._log = playground.folder / f"server-{name}-{secrets.token_hex(2)}.log"
        broker = playground.broker
        url = (
            f"amqps://{USER}:{os.environ[PASSWORD_VARIABLE]}@127.0.0.1:{broker.port}/{VHOST}"
            f"?cafile={playground.folder}/ca.pem"
        )
        command = [sys.executable, "-m", "nango_jupyter", "serve", "integrations"]
        environment = {**os.environ, "NANGO_URL": url, "SERVER_NAME": name}
        self.process = playground.spawn(command, environment, self._log)

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return self._log.read_text()

    def wait_ready(self, times: int = 1) -> None:
        """Wait until it has said so many times that it takes requests."""
        _wait_for(lambda: self.log.count(" ready: ") >= times, self.process, self._log)

    def stop(self) -> None:
        """End it as a deployment does, by SIGTERM: what runs is finished first."""
        _end(self.process)
        self._playground.forget(self.process)

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait()
        self._playground.forget(self.process)


def _missing_on_binder() -> str:
    """Wait for the broker that Binder starts; say why it can't be used, or "" if it can."""
    if BINDER_VARIABLE not in os.environ:
        return "This is not Binder: nothing was started in advance. The next cells do that."
    folder = Path(os.environ[BINDER_VARIABLE])
    deadline = time.monotonic() + BINDER_SECONDS
    while not (status := _status_of(folder)).startswith("ready"):
        if time.monotonic() > deadline:
            return (
                f"Binder's RabbitMQ does not run: {status or 'it has said nothing.'}\n"
                f"Its log is {folder}/broker.log, the Nango server's {folder}/server.log. Go on: "
                "the next cells start another. To have it again, open the Binder link anew."
            )
        time.sleep(0.2)
    return ""


def _status_of(folder: Path) -> str:
    try:
        return (folder / "status").read_text().strip()
    except OSError:
        return ""


def _definitions() -> dict[str, object]:
    """Return the broker's one user and virtual host; there is no guest then."""
    password = os.environ[PASSWORD_VARIABLE] = secrets.token_urlsafe(12)
    salt = secrets.token_bytes(4)
    hashed = base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
    algorithm = "rabbit_password_hashing_sha256"
    user = {"name": USER, "password_hash": hashed, "hashing_algorithm": algorithm, "tags": ""}
    rights = {"configure": ".*", "write": ".*", "read": ".*"}
    return {
        "users": [user],
        "vhosts": [{"name": VHOST}],
        "permissions": [{"user": USER, "vhost": VHOST, **rights}],
    }


def _write_certificates(folder: Path, authority: Path) -> None:
    """Write an authority's certificate, and the broker's, which it has signed."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def pem_of(certificate: x509.Certificate) -> bytes:
        return certificate.public_bytes(serialization.Encoding.PEM)

    def make(name: str, issuer: str, own: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(
            issuer_name=x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]),
            subject_name=x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]),
            public_key=own.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=now - timedelta(hours=1),
            not_valid_after=now + timedelta(days=2),
        )
        known = x509.SubjectKeyIdentifier.from_public_key(own.public_key())
        return builder.add_extension(known, critical=False)

    is_authority = x509.BasicConstraints(ca=True, path_length=0)
    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    )
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    own = make("Fernwood Tools", "Fernwood Tools", authority_key)
    own = own.add_extension(is_authority, critical=True)
    brokers = make("127.0.0.1", "Fernwood Tools", key)
    brokers = brokers.add_extension(names, critical=False).add_extension(signer, critical=False)
    authority.write_bytes(pem_of(own.sign(authority_key, hashes.SHA256())))
    (folder / "cert.pem").write_bytes(pem_of(brokers.sign(authority_key, hashes.SHA256())))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    private = folder / "key.pem"
    private.touch(mode=0o600)
    private.write_bytes(key.private_bytes(*form, serialization.NoEncryption()))


def _replace_transformer(transformer: Callable[[list[str]], list[str]]) -> None:
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None:
        return
    kept = [
        one
        for one in shell.input_transformers_cleanup
        if not isinstance(getattr(one, "__self__", None), Playground)
    ]
    shell.input_transformers_cleanup[:] = [transformer, *kept]


def _wait_for(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"It did not start. Its log is {log} and ends:\n{_end_of(log)}")
        time.sleep(0.05)


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-1000:].strip()


def _end(*processes: subprocess.Popen[bytes]) -> None:
    for process in processes:
        process.send_signal(signal.SIGTERM)
    for process in processes:
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_ports(count: int) -> list[int]:
    """Choose ports below the kernel's ephemeral range, which no outgoing connection can take."""
    candidates = random.sample(range(20_000, 32_000), k=50)
    return [port for port in candidates if not _accepts(port)][:count]


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
