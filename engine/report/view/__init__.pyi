from . import claim as claim
from . import edits as edits
from . import words as words
