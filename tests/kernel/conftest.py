"""Real kernels: one with the embedded server, one with a server behind RabbitMQ."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.kernel import Kernel
from tests.support.rabbitmq import Rabbit
from tests.support.serve import Serve

TOKEN = "crm-demo-token"
REGISTER = """
%nango_register demo ada --token-env TOKEN --config {"team": "blue"}
%nango_register crm ada --token-env TOKEN
"""


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel on the embedded server, with ada registered."""
    with Kernel(tmp_path_factory.mktemp("home"), {"TOKEN": TOKEN}) as kernel:
        kernel.ok(f"%load_ext nango_jupyter\n%nango_connect --local\n{REGISTER}")
        yield kernel


@pytest.fixture(scope="module")
def broker_url(rabbit: Rabbit) -> str:
    """A vhost that this module's kernels share."""
    rabbit.heal()
    rabbit.ctl("eval", 'rabbit_vhost:add(<<"kernels">>, <<"tests">>).')
    rabbit.ctl("set_permissions", "--vhost", "kernels", "guest", ".*", ".*", ".*")
    return rabbit.url(vhost="kernels")


@pytest.fixture(scope="module")
def remote(broker_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel on a server behind RabbitMQ, with ada registered."""
    home: Path = tmp_path_factory.mktemp("home")
    variables = {"TOKEN": TOKEN, "NANGO_URL": broker_url}
    with Serve(broker_url), Kernel(home, variables) as kernel:
        kernel.ok(f"%load_ext nango_jupyter\n%nango_connect\n{REGISTER}")
        yield kernel


@pytest.fixture(params=["local", "remote"])
def kernel(request: pytest.FixtureRequest) -> Kernel:
    """Each of the two: what holds for the one holds for the other."""
    found: Kernel = request.getfixturevalue(request.param)
    return found
