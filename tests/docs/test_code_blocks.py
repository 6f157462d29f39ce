"""Every code block of README.md, CONTRIBUTING.md and docs/ is run, as a reader would.

The blocks of one document are run in order, in a temporary folder, and share what they make.

- ``python`` runs in a real IPython kernel, magics and ``await`` included. A block whose first line
  is a comment with a file's name is written to that file instead, and must be Python; one that
  names a notebook (``# report.ipynb``, or ``# report.ipynb, tagged parameters``) becomes its next
  cell, which runs when a later block runs the notebook.
- ``sh`` runs in bash, and must end well. What it exports is there for later blocks, and for the
  kernel, which is as new at the first block of Python. Some programs are replaced (`stand_in`):

  - ``make`` runs with ``-n``, in the repository: the target must exist;
  - ``git clone`` makes a folder with the repository's files in it, and of other commands of git it
    is checked that they exist;
  - ``pip``, ``uv pip``: each package must be one that is installed here, and each extra one of
    pyproject.toml; the project itself is ``.`` or comes from git; nothing is installed;
  - ``jupyter lab``, ``jupyter notebook``: the file must exist, and the package be installed;
  - ``nango-jupyter serve`` goes on, once it is ready, until the document ends; its other commands
    are run;
  - ``voila`` is started, its page is fetched, and must hold a form;
  - ``keyring set`` keeps a sample's token, or the broker's password, in a keyring of this test;
  - ``python -m pytest`` and ``pre-commit``: the files that they name must exist;
  - ``docker``, ``apt-get``, ``sudo``: nothing is done, since they change the machine.
- ``export NAME=…``, with these three dots, gets the secret of that name.
- ``yaml``, ``toml`` and ``json`` must be readable, and are written to the file that a comment on
  the first line names.
- ``text`` is output, ``ts`` another program's language, and ``diff`` is for tests/project: they
  alone are not run. Any other language fails, so that nothing is left out by accident.
- ``{name}`` is a directive of Sphinx, and no code.

Hosts are replaced: broker.example.com and localhost are the test's RabbitMQ, with TLS behind
``amqps://``, whose user ada has the password in BROKER_PASSWORD; database.example.com is the test's
PostgreSQL. Where a document speaks of a broker, the samples are served there until it starts a
server of its own.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, blocks_in, documents
from tests.docs.document import Document
from tests.support.kernel import Kernel
from tests.support.rabbitmq import Rabbit
from tests.support.serve import Serve

NOT_RUN = {
    "text",  # output, or the form of something
    "ts",  # the original client's language
    "diff",  # tests/project/test_recipes.py follows it
}
BROKER = ("broker.example.com", "localhost", "amqp")
DATABASE = "database.example.com"
DATABASE_URL = r"postgresql\+asyncpg://[^@\s]*@database\.example\.com/\w+"
SERVE = "nango-jupyter serve"
PASSWORD = secrets.token_hex(8)
SECRETS = {
    "CRM_TOKEN": "crm-demo-token",
    "CHAT_TOKEN": "chat-demo-token",
    "BILLING_TOKEN": "billing-demo-token",
    "BROKER_PASSWORD": PASSWORD,
    "NANGO_PASSWORD": PASSWORD,
    "PROD_PASSWORD": PASSWORD,
    "NANGO_ENCRYPTION_KEY": secrets.token_urlsafe(32),
}


def test_every_document_is_found() -> None:
    names = [str(path.relative_to(ROOT)) for path in documents()]
    assert {"README.md", "docs/index.md", "docs/how-to/connect.md"} <= set(names)


@pytest.fixture(scope="session")
def broker(rabbit: Rabbit) -> dict[str, str]:
    """Ada's way into the test's RabbitMQ: what stands in for the hosts in the documents."""
    rabbit.heal()
    rabbit.ctl("add_user", "ada", PASSWORD)
    rabbit.ctl("eval", 'rabbit_vhost:add(<<"crm">>, <<"tests">>).')
    for user in ("ada", "guest"):
        for vhost in ("/", "crm"):
            rabbit.ctl("set_permissions", "--vhost", vhost, user, ".*", ".*", ".*")
    plain, tls = f"127.0.0.1:{rabbit.port}", f"127.0.0.1:{rabbit.tls_port}"
    return {
        r"broker\.example\.com:5671": tls,
        r"(?<=amqps://)broker\.example\.com": tls,
        r"(?<=amqps://ada@)broker\.example\.com": tls,
        r"broker\.example\.com(:5672)?": plain,
        r"amqp://…": f"amqp://{plain}",
        r"\blocalhost(:5672)?\b": plain,
    }


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Kernel]]:
    """The kernel of all documents, started by the first that needs one."""
    with ExitStack() as stack:
        home = tmp_path_factory.mktemp("home")
        yield cache(lambda: stack.enter_context(Kernel(home)))


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_blocks(
    path: Path, tmp_path: Path, kernel: Callable[[], Kernel], request: pytest.FixtureRequest
) -> None:
    blocks = [one for one in blocks_in(path) if not one.language.startswith("{")]
    code = [one for one in blocks if one.language not in NOT_RUN]
    text = "\n".join(one.text for one in code)
    replaced: dict[str, str] = {}
    known = dict(SECRETS)
    if DATABASE in text:
        replaced[DATABASE_URL] = request.getfixturevalue("postgres_url")
    if needs_broker := any(word in text for word in BROKER):
        rabbit: Rabbit = request.getfixturevalue("rabbit")
        replaced |= request.getfixturevalue("broker")
        known |= {"SSL_CERT_FILE": str(rabbit.cafile), "DOCS_BROKER": rabbit.url()}
    with Document(tmp_path, kernel, known, replaced) as document, ExitStack() as samples:
        if needs_broker and not code[0].text.startswith(SERVE):
            for vhost in ["/", *(["crm"] if ".com/crm" in text else [])]:
                samples.enter_context(Serve(rabbit.url(vhost=vhost)))
        for block in code:
            if block.language == "sh" and SERVE in block.text:
                samples.close()
            document.run(block)
