from . import archive as archive
from . import decisions as decisions
