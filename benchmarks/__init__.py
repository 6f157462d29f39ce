"""Measurements of client and server on a private broker."""
