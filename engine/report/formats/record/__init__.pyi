from .clip import clip_name as clip_name
from .finding import SCHEMA as SCHEMA
from .finding import FindingRecord as FindingRecord
from .finding import finding_record as finding_record
from .place import LEAST_MASS as LEAST_MASS
from .place import SHARES as SHARES
from .place import region_of as region_of
