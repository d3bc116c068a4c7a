from .atoms.model import decomposer as decomposer
from .catalog import CATALOGUE as CATALOGUE
from .catalog import import_weights as import_weights
from .catalog import verify_weights as verify_weights
from .catalog import weights_state as weights_state
from .qwen import Reasoner as Reasoner
