"""The pages of Earwitness. They draw; `engine` computes, and only its public list is used."""

from __future__ import annotations

import engine  # noqa: F401  (before any page loads Streamlit: it tells libraries not to report their use)
