"""Forms of ipywidgets: to connect, to register, to trigger and to look back.

No JavaScript of our own, so they work wherever ipywidgets do.
"""
