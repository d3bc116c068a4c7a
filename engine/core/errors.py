"""Everything Earwitness raises on purpose.

    EarwitnessError               base; its text is one sentence and ends with the remedy
    ├── InputError                the caller's input cannot be used (exit code 2)
    │   ├── MediaError            the file cannot be read as audio or video
    │   │   ├── DecoderError      the process that decodes it died, hung or took too much; another try may go otherwise
    │   │   │   └── DecoderFault  our own code failed in that process: nothing is said of the file (exit code 1)
    │   │   └── TooShortError     there is less sound than a clue needs: it abstains, and its text says why
    │   └── SettingError          an option, date, interval, prior or place is invalid
    ├── WeightsError              a model file is missing or is not the file it should be (exit code 2)
    │   └── MissingWeights        a model that can be fetched is not installed; its `reason` stands for a clue's abstention
    ├── DataError                 a data set or manifest is missing or malformed (exit code 2)
    └── Cancelled                 the person asked to stop (exit code 1)

Foreign exceptions are mapped to these once, at the edge where they arise.
"""

from __future__ import annotations


class EarwitnessError(Exception):
    """Base of all errors raised on purpose; ``str(error)`` is fit to be shown."""

    exit_code = 2


class InputError(EarwitnessError):
    """What was given cannot be used."""


class MediaError(InputError):
    """The file cannot be read as audio or video."""


class DecoderError(MediaError):
    """The process that decodes the file died, hung or took more than it may; another try may go otherwise."""


class DecoderFault(DecoderError):
    """Our own code failed in the process that decodes the file: a fault of the program, not of the file.

    Attributes:
        kind: name of the exception in that process.
    """

    exit_code = 1

    def __init__(self, text: str, kind: str = "") -> None:
        super().__init__(text)
        self.kind = kind


class TooShortError(MediaError):
    """There is less sound than a clue needs; its text stands for the clue's abstention, within a sentence."""


class SettingError(InputError):
    """An option, date, interval, prior or place is invalid."""


class WeightsError(EarwitnessError):
    """A model file is missing or differs from the catalogue."""


class MissingWeights(WeightsError):
    """A model of the catalogue is not installed.

    Attributes:
        model: its id.
        reason: the same as a clause without the remedy, for a clue that abstains.
    """

    def __init__(self, model: str, absent: str, file: str = "") -> None:
        self.model = model
        self.reason = absent + (f" completely: {file} is missing" if file else "")
        super().__init__(f"{self.reason}; get it with: earwitness models pull {model}")


class DataError(EarwitnessError):
    """A data set, manifest or table is missing or malformed."""


class Cancelled(EarwitnessError):
    """The person asked to stop; nothing was written."""

    exit_code = 1
