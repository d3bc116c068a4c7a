"""What observations of speech are labelled: SPEECH, or the code of a language."""

from __future__ import annotations

SPEECH = "speech"
_SAME = {"nn": "no", "nb": "no", "yue": "zh", "fil": "tl", "iw": "he", "jw": "jv"}  # other codes of the same


def normal(language: str) -> str:
    """The code under which a language is counted here."""
    code = language.split("-")[0].lower()
    return _SAME.get(code, code)
