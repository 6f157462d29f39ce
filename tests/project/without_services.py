"""A plugin for pytest: leaves out what needs a broker or a database of its own.

`make pythons` loads it, so that the tests run on a bare interpreter:

    python -m pytest -p tests.project.without_services tests/server
"""

import pytest
from hypothesis import settings

_SERVICES = frozenset({"rabbit", "postgres"})


def _needs_service(item: pytest.Item) -> bool:
    names = set(getattr(item, "fixturenames", ()))
    callspec = getattr(item, "callspec", None)
    # `store_url` asks for the database only where its parameter says so.
    values = callspec.params.values() if callspec else ()
    texts = {value for value in values if isinstance(value, str)}
    return not _SERVICES.isdisjoint(names | texts)


def pytest_configure() -> None:
    """Draw fewer examples: `make test` has drawn many, and other Pythons fail with any."""
    settings.register_profile("few", max_examples=20)
    settings.load_profile("few")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect them: pytest tells how many there were."""
    left_out = [item for item in items if _needs_service(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not _needs_service(item)]
