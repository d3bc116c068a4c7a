"""What observations of speech are labelled: SPEECH, or the code of a language."""

from __future__ import annotations

from engine.clues.text import language as on_signs

SPEECH = "speech"
PLACE_SAID = "place said"  # the kind of a place's name said aloud
# Other codes of the same, or of what nobody tells apart by ear.
_SAME = {"nn": "no", "nb": "no", "yue": "zh", "fil": "tl", "iw": "he", "jw": "jv", "bs": "hr", "sr": "hr"}
# Of Whisper's languages those that have no name among the languages of signs.
_UNNAMED = """
am:Amharic as:Assamese az:Azerbaijani ba:Bashkir bn:Bengali bo:Tibetan br:Breton fo:Faroese gu:Gujarati ha:Hausa haw:Hawaiian
ht:Haitian_Creole hy:Armenian jv:Javanese ka:Georgian km:Khmer kn:Kannada la:Latin lb:Luxembourgish ln:Lingala lo:Lao mg:Malagasy
mi:Maori ml:Malayalam mn:Mongolian mt:Maltese my:Burmese ne:Nepali no:Norwegian oc:Occitan pa:Punjabi ps:Pashto sa:Sanskrit
sd:Sindhi si:Sinhala sn:Shona so:Somali su:Sundanese ta:Tamil te:Telugu tg:Tajik tk:Turkmen tt:Tatar uz:Uzbek yi:Yiddish yo:Yoruba
"""
_NAMES = {code: name.replace("_", " ") for code, name in (pair.split(":") for pair in _UNNAMED.split())}


def normal(language: str) -> str:
    """The code under which a language is counted here."""
    code = language.split("-")[0].lower()
    return _SAME.get(code, code)


def language_name(language: str) -> str:
    """ "German"; the code itself of a language that Whisper doesn't know."""
    return _NAMES.get(language) or on_signs.NAMES.get(language, language)
