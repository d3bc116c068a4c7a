from .dictionary import entry as entry
from .dictionary import kernel_wave as kernel_wave
from .observe import AtomsObserver as AtomsObserver
from .observe import window_at as window_at
from .without import heard_without as heard_without
