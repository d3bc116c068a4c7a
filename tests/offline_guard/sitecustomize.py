"""Lets a Python process talk to this machine only, and notes every attempt to reach another.

Python runs a module of this name at start-up when its folder is on PYTHONPATH: so the servers and command lines that the
tests start are guarded as well. The test process itself loads it from conftest.py. What was tried is in `attempts`, and in
the file named by EARWITNESS_GUARD_LOG, since libraries like to swallow the error.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable
from typing import Any

attempts: list[str] = []


class OutsideWorldError(OSError):
    """Something tried to leave this machine."""


def is_here(host: object) -> bool:
    """Whether a host is this machine."""
    if host in (None, "", b"", "localhost", b"localhost", "<broadcast>"):
        return host != "<broadcast>"
    text = host.decode(errors="replace") if isinstance(host, bytes) else str(host)
    try:
        address = ipaddress.ip_address(text.split("%")[0])
    except ValueError:
        return text.endswith(".localhost") or text == socket.gethostname()
    return address.is_loopback or address.is_unspecified


def refuse(what: str, host: object) -> None:
    """Note the attempt and raise, unless the host is this machine."""
    if is_here(host):
        return
    attempts.append(f"{what} {host!r}")
    log = os.environ.get("EARWITNESS_GUARD_LOG")
    if log:
        with open(log, "a", encoding="utf-8") as f:  # noqa: PTH123  (no more imports than needed: this runs in every process)
            f.write(f"{os.getpid()} {attempts[-1]}\n")
    raise OutsideWorldError(f"blocked by the tests: {attempts[-1]}")


def install() -> None:
    """Put the guard before every way out of Python's socket module; once is enough."""
    if getattr(socket, "guarded_by_tests", False):
        return
    socket.guarded_by_tests = True  # type: ignore[attr-defined]

    def guard_method(name: str, address_at: int) -> None:
        original: Callable[..., Any] = getattr(socket.socket, name)

        def guarded(self: socket.socket, *args: Any) -> Any:
            address = args[address_at] if abs(address_at) <= len(args) else None
            if self.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple):
                refuse(name, address[0])
            return original(self, *args)

        setattr(socket.socket, name, guarded)

    for name, address_at in (("connect", 0), ("connect_ex", 0), ("sendto", -1)):
        guard_method(name, address_at)

    def guard_lookup(name: str) -> None:
        original: Callable[..., Any] = getattr(socket, name)

        def guarded(host: object, *args: Any, **kwargs: Any) -> Any:
            refuse(name, host)
            return original(host, *args, **kwargs)

        setattr(socket, name, guarded)

    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr"):
        guard_lookup(name)


install()
