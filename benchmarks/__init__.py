"""Measurements of the client on a private broker."""
