"""What the tests change on the broker; each change is one rabbitmqctl call, about a second."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.rabbitmq import Rabbit

EVERYTHING = (".*", ".*", ".*")


def binary(text: str) -> str:
    """Spell a text for Erlang, whatever it holds."""
    return f"<<{','.join(map(str, text.encode()))}>>"


def _grant(user: str, vhost: str, permissions: tuple[str, str, str]) -> str:
    parts = ", ".join(map(binary, (user, vhost, *permissions)))
    return f'rabbit_auth_backend_internal:set_permissions({parts}, <<"tests">>)'


def add_users(
    rabbit: Rabbit,
    users: dict[str, str],
    vhost: str,
    permissions: tuple[str, str, str] = EVERYTHING,
) -> None:
    """Add users with passwords and their (configure, write, read) permissions in one vhost."""
    steps = []
    for user, password in users.items():
        arguments = f'{binary(user)}, {binary(password)}, <<"tests">>'
        steps += [
            f"rabbit_auth_backend_internal:add_user({arguments})",
            _grant(user, vhost, permissions),
        ]
    rabbit.ctl("eval", ", ".join(steps) + ".")


def add_vhosts(rabbit: Rabbit, *names: str) -> None:
    """Add virtual hosts that guest may use."""
    steps = []
    for name in names:
        steps += [
            f'rabbit_vhost:add({binary(name)}, <<"tests">>)',
            _grant("guest", name, EVERYTHING),
        ]
    rabbit.ctl("eval", ", ".join(steps) + ".")


@contextmanager
def memory_alarm(rabbit: Rabbit) -> Iterator[None]:
    """Let the broker believe that it has run out of memory."""
    alarm = "{resource_limit, memory, node()}"
    rabbit.ctl("eval", f"rabbit_alarm:set_alarm({{{alarm}, []}}).")
    try:
        yield
    finally:
        rabbit.ctl("eval", f"rabbit_alarm:clear_alarm({alarm}).")
