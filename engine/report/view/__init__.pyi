from . import claim as claim
from . import edits as edits
from . import lead as lead
from . import origin as origin
from . import words as words
