"""An integrations folder to try things with, and the little HTTP APIs that it works against."""

from __future__ import annotations

from pathlib import Path

from nango_jupyter.samples.api import SampleApi

__all__ = ["Samples"]


class Samples:
    """The sample integrations, with the APIs behind them running while they are used.

    ``demo`` needs no API; ``crm``, ``chat`` and ``billing`` are those of Fernwood Tools, a small
    shop for garden tools that doesn't exist.

    Attributes
    ----------
    folder : Path
        The integrations folder.
    environ : dict of str to str
        What its integrations.yaml needs from the environment: where the APIs are.

    Examples
    --------
    >>> with Samples() as samples:
    ...     sorted(path.name for path in samples.folder.iterdir() if path.is_dir())
    ['billing', 'chat', 'crm', 'demo']
    """

    def __init__(self) -> None:
        self.folder = Path(__file__).parent / "nango-integrations"
        self.environ: dict[str, str] = {}
        self._api = SampleApi()

    def __enter__(self) -> Samples:
        self._api.__enter__()
        for name, url in self._api.urls.items():
            self.environ[f"NANGO_SAMPLE_{name.upper()}_URL"] = url
        return self

    def __exit__(self, *_: object) -> None:
        self._api.__exit__()
