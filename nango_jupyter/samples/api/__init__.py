"""The HTTP APIs of Fernwood Tools, a small shop for garden tools that doesn't exist.

Three of them, on one port of this machine: ``/crm``, ``/chat`` and ``/billing``. They answer as
APIs out there do: in pages, with limits, sometimes slowly, and sometimes not at all. What they
answer is the same each time; what is posted is gone when they stop.
"""

from nango_jupyter.samples.api.server import SampleApi

__all__ = ["SampleApi"]
