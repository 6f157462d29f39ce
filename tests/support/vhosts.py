"""Fresh virtual hosts on a node, made in batches: each rabbitmqctl call takes 0.7 s."""

from itertools import count

from tests.support.rabbitmq import Rabbit

BATCH = 16

# Adds each host, lets guest do everything in it, and removes those that are done with.
SCRIPT = """
By = <<"tests">>,
[begin
    rabbit_vhost:add(Name, By),
    rabbit_auth_backend_internal:set_permissions(
        <<"guest">>, Name, <<".*">>, <<".*">>, <<".*">>, By)
end || Name <- [{new}]],
[rabbit_vhost:delete(Name, By) || Name <- [{used}]],
ok.
"""


class Vhosts:
    """The virtual hosts of one node, each handed out once."""

    def __init__(self, rabbit: Rabbit) -> None:
        self._rabbit = rabbit
        self._numbers = count(1)
        self._fresh: list[str] = []
        self._used: list[str] = []

    def take(self) -> str:
        """Return the name of an empty virtual host."""
        if not self._fresh:
            self._refill()
        return self._fresh.pop()

    def give_back(self, name: str) -> None:
        """Mark a virtual host for deletion; it goes when the next batch is made."""
        self._used.append(name)

    def _refill(self) -> None:
        new = [f"test-{next(self._numbers)}" for _ in range(BATCH)]
        self._rabbit.ctl("eval", SCRIPT.format(new=_binaries(new), used=_binaries(self._used)))
        self._fresh, self._used = new, []


def _binaries(names: list[str]) -> str:
    return ", ".join(f'<<"{name}">>' for name in names)
