"""Warns on every page when the server was set up to be reached from elsewhere, or to accept requests of other pages."""

from __future__ import annotations

import ipaddress

import streamlit as st


def warn() -> None:
    """Draw what is wrong; nothing when the server is as `earwitness app` starts it."""
    for sentence in sentences(st.get_option("server.address"), bool(st.get_option("server.enableXsrfProtection"))):
        st.error(sentence, icon=":material/lock_open:")


def sentences(address: str | None, protected: bool) -> list[str]:
    """What is wrong with a server.

    Args:
        address: what it listens on; None stands for every network of this machine.
        protected: whether requests from other pages are refused (XSRF protection).
    """
    found = []
    if not _is_this_machine(address):
        found.append(
            f"This server listens on {address or 'every network of this machine'}: whoever reaches it can open files "
            "here and read what you examine. Stop it, and start it with: earwitness app"
        )
    if not protected:
        found.append(
            "This server's protection against requests from other pages (XSRF) is switched off: a page open in this browser "
            "could act in your name. Stop it, and start it with: earwitness app"
        )
    return found


def _is_this_machine(address: str | None) -> bool:
    try:
        return address is not None and (address == "localhost" or ipaddress.ip_address(address.strip("[]")).is_loopback)
    except ValueError:  # a name, which may mean any machine
        return False
