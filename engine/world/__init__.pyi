from .land import land_outlines as land_outlines
from .places import describe_area as describe_area
