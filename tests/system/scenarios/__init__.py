"""The tests themselves, by what they are about. test_debian_*.py run all of them."""

from .approval import *
from .changes import *
from .credentials import *
from .idle import *
from .instances import *
from .journal import *
from .life import *
from .packages import *
from .reload import *
from .starting import *
from .status import *
from .units import *
from .users import *
from .watchdog import *
