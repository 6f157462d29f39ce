"""A kernel with what the tests of forms need."""

from collections.abc import Iterator

import pytest

from tests.support.forms import CLICKING
from tests.support.kernel import Kernel

SETUP = f"""
%load_ext nango_jupyter
import time
import ipywidgets
import nango_jupyter
{CLICKING}
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with Kernel(tmp_path_factory.mktemp("home"), {"CRM_TOKEN": "crm-demo-token"}) as kernel:
        kernel.ok(SETUP)
        yield kernel
