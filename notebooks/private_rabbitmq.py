"""A RabbitMQ with TLS for 05_for_real.ipynb, and processes that end with the kernel."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from nango_jupyter.samples.rabbitmq import (
    epmd_command,
    find_program,
    free_ports,
    is_open,
    node_environment,
    speaks_amqp,
    write_files,
)

if TYPE_CHECKING:
    from cryptography import x509

__all__ = ["PASSWORD_VARIABLE", "USER", "VHOST", "Broker", "Processes", "wait_for"]

INSTALL = (
    "Install one, and run this notebook again from the top. On Debian and Ubuntu:\n"
    "    sudo apt-get install --no-install-recommends rabbitmq-server\n"
    "On a Mac: brew install rabbitmq"
)
USER, VHOST = "fernwood", "shop"
PASSWORD_VARIABLE = "SHOP_PASSWORD"
START_SECONDS = 60
STOP_SECONDS = 10

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


class Processes:
    """Processes of the notebook's own, in one folder.

    Parameters
    ----------
    folder : Path
        It goes with them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._guardian = subprocess.Popen(
            [sys.executable, "-I", "-c", GUARDIAN, str(folder)],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def spawn(
        self, command: Sequence[str], environment: dict[str, str], log: Path
    ) -> subprocess.Popen[bytes]:
        """Start a process that ends with the kernel at the latest."""
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                env=environment,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # the kernel's interrupt is not for it
            )
        self._tell(f"+{process.pid}")
        return process

    def end(self, *processes: subprocess.Popen[bytes]) -> None:
        """End processes as a deployment does, by SIGTERM: what runs is finished first."""
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
            self._forget(process)

    def kill(self, *processes: subprocess.Popen[bytes]) -> None:
        """End processes as a power cut would."""
        for process in processes:
            process.kill()
            self._forget(process)

    def close(self) -> None:
        """Remove the folder, and whatever still runs."""
        if self._guardian.stdin is not None:
            self._guardian.stdin.close()
        self._guardian.wait(STOP_SECONDS)

    def _forget(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        self._tell(f"-{process.pid}")  # its number may be another's from now on

    def _tell(self, line: str) -> None:
        assert self._guardian.stdin is not None
        self._guardian.stdin.write(f"{line}\n")
        self._guardian.stdin.flush()


class Broker:
    """One RabbitMQ node with TLS, one user and one virtual host."""

    def __init__(self, folder: Path, processes: Processes, search_path: str | None) -> None:
        self.port, self._dist_port, self._epmd_port = free_ports(3)
        self._cafile = folder / "ca.pem"
        self._folder = folder / "rabbitmq"
        self._processes = processes
        self._path = search_path
        self._name = f"nango-{secrets.token_hex(4)}"
        self._epmd: subprocess.Popen[bytes] | None = None
        self._node: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"amqps://127.0.0.1:{self.port}"

    @property
    def processes(self) -> list[subprocess.Popen[bytes]]:
        """What runs, the broker first."""
        both = (self._node, self._epmd)
        return [process for process in both if process is not None and process.poll() is None]

    def start(self) -> None:
        """Start, with the data that a broker before it has left."""
        if self._node is not None and self._node.poll() is None:
            return
        server, epmd = self._program("rabbitmq-server"), self._program("epmd")
        if not self._folder.exists():
            self._write_files()
        log = self._folder / "output.log"
        if self._epmd is None:
            command = [epmd, *epmd_command(self._epmd_port)]
            self._epmd = self._processes.spawn(command, self._environment(), log)
        wait_for(lambda: is_open("127.0.0.1", self._epmd_port), self._epmd, log)
        self._node = self._processes.spawn([server], self._environment(), log)
        wait_for(self._speaks_amqp, self._node, log)

    def kill(self) -> None:
        """End it as a power cut would; its data stay."""
        if self._node is not None:
            self._processes.kill(self._node)

    def _program(self, name: str) -> str:
        found = find_program(name, self._path)
        if found is None:
            raise RuntimeError(f"There is no RabbitMQ on this machine. {INSTALL}")
        return found

    def _environment(self) -> dict[str, str]:
        return node_environment(
            self._folder,
            distribution_port=self._dist_port,
            epmd_port=self._epmd_port,
            name=self._name,
        )

    def _write_files(self) -> None:
        folder = self._folder
        folder.mkdir()
        (folder / "definitions.json").write_text(json.dumps(_definitions()))
        _write_certificates(folder, self._cafile)
        settings = {
            "listeners.tcp": "none",
            "listeners.ssl.local": f"127.0.0.1:{self.port}",
            "ssl_options.cacertfile": self._cafile,
            "ssl_options.certfile": folder / "cert.pem",
            "ssl_options.keyfile": folder / "key.pem",
            "load_definitions": folder / "definitions.json",
        }
        write_files(folder, settings)

    def _speaks_amqp(self) -> bool:
        context = ssl.create_default_context(cafile=str(self._cafile))
        context.verify_flags |= ssl.VERIFY_X509_STRICT  # as Python 3.13 does by itself
        return speaks_amqp(self.port, context)


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
    own = own.add_extension(_may_sign_certificates(), critical=True)  # Python 3.13 looks for it
    brokers = make("127.0.0.1", "Fernwood Tools", key)
    brokers = brokers.add_extension(names, critical=False).add_extension(signer, critical=False)
    authority.write_bytes(pem_of(own.sign(authority_key, hashes.SHA256())))
    (folder / "cert.pem").write_bytes(pem_of(brokers.sign(authority_key, hashes.SHA256())))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    private = folder / "key.pem"
    private.touch(mode=0o600)
    private.write_bytes(key.private_bytes(*form, serialization.NoEncryption()))


def _may_sign_certificates() -> x509.KeyUsage:
    from cryptography import x509

    names = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
        *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{name: name == "key_cert_sign" for name in names})


def wait_for(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until something is ready.

    Raises
    ------
    RuntimeError
        With the end of the log, if the process ends before, or it takes too long.
    """
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"It did not start. Its log is {log} and ends:\n{_end_of(log)}")
        time.sleep(0.05)


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-1000:].strip()
