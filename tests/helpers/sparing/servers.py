"""Servers of tests end at once: Python's own look every half a second whether they should."""

import socketserver


def end_at_once() -> None:
    """Have a server whose maker names no other time look fifty times a second."""
    socketserver.BaseServer.serve_forever.__defaults__ = (0.02,)  # of poll_interval
