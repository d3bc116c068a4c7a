"""What the decoding child and its parent agree on."""

from __future__ import annotations

import struct

HEADER = struct.Struct("<II")
"""Before every message: the lengths of its line of JSON and of the raw bytes that follow."""

EXIT_MEMORY, EXIT_FAULT = 87, 88
"""How the child ends when even saying why fails."""
