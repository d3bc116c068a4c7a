"""The pages of Earwitness. They draw; all thinking is done by `engine`, of which they use the public list alone."""

from __future__ import annotations

import engine  # noqa: F401  (before any page loads Streamlit: it tells libraries not to report their use)
