from .clue import KERNELS as KERNELS
from .clue import RATE_HZ as RATE_HZ
from .clue import WINDOW_S as WINDOW_S
from .clue import AtomsClue as AtomsClue
from .clue import entry as entry
from .clue import heard_without as heard_without
from .clue import kernel_wave as kernel_wave
from .clue import window_at as window_at
