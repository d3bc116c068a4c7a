"""Text made fit for a document: the one place through which every format passes what it writes.

What a clip, a folder's name or an analyst brings may hold characters that no document can keep: XML 1.0 refuses control
characters (W3C, section 2.2), UTF-8 has no lone surrogates (a file name that is not UTF-8), and marks of direction make a line
read as what it does not say (Unicode Technical Report 36, Bidirectional Text Spoofing). Each of them becomes the replacement
character, which is seen and can be searched for.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

REPLACED = "\N{REPLACEMENT CHARACTER}"

# Code points that no document holds, first and last: controls but tab and the ends of lines, marks without a shape of their own
# but the two joiners that Persian and Indic scripts are spelled with, surrogates, private use, and what is no character.
_UNFIT = (
    (0x00, 0x08), (0x0B, 0x0C), (0x0E, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD), (0x61C, 0x61C), (0x115F, 0x1160), (0x180E, 0x180E),
    (0x200B, 0x200B), (0x200E, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xD800, 0xDFFF), (0xE000, 0xF8FF),
    (0xFDD0, 0xFDEF), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0x1D173, 0x1D17A), (0xE0000, 0x10FFFF),
)  # fmt: skip
_PLANES = range(16)  # the last two code points of each plane are no characters


def fit(text: str) -> str:
    """The text, or a whole document, with the replacement character for each character that no document can hold."""
    return _unfit().sub(REPLACED, text)


def clean(value: Any) -> Any:
    """What the json module writes, with every text in it fit; keys are texts too."""
    if isinstance(value, str):
        return fit(value)
    if isinstance(value, dict):
        return {clean(k): clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [clean(x) for x in value]
    return value


@cache
def _unfit() -> re.Pattern[str]:
    spans = (*_UNFIT, *((0x10000 * plane + 0xFFFE, 0x10000 * plane + 0xFFFF) for plane in _PLANES))
    return re.compile("[" + "".join(f"{re.escape(chr(a))}-{re.escape(chr(b))}" for a, b in spans) + "]")
