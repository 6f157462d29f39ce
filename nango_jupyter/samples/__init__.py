"""An integrations folder to try things with, and the little HTTP API that it works against."""

from __future__ import annotations

from pathlib import Path

from nango_jupyter.samples.crm_api import CrmApi

__all__ = ["Samples"]


class Samples:
    """The sample integrations, ``demo`` and ``crm``, with crm's API running while they are used.

    Attributes
    ----------
    folder : Path
        The integrations folder.
    environ : dict of str to str
        What its integrations.yaml needs from the environment: where the API is.

    Examples
    --------
    >>> with Samples() as samples:
    ...     sorted(path.name for path in samples.folder.iterdir() if path.is_dir())
    ['crm', 'demo']
    """

    def __init__(self) -> None:
        self.folder = Path(__file__).parent / "nango-integrations"
        self.environ: dict[str, str] = {}
        self._api = CrmApi()

    def __enter__(self) -> Samples:
        self._api.__enter__()
        self.environ["NANGO_SAMPLE_CRM_URL"] = self._api.url
        return self

    def __exit__(self, *_: object) -> None:
        self._api.__exit__()
