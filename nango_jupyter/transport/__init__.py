"""Carries a request's bytes to a server and the reply's bytes back."""

from nango_jupyter.transport.base import Transport

__all__ = ["Transport"]
