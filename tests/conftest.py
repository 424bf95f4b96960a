"""Profiles of the property tests.

`dev` looks for new examples each time. `ci`, taken when the environment says CI, tries the same ones each time: then a
red run is the change's doing. TRACECHECK_EXAMPLES=N asks for N examples of every property in either.
"""

from __future__ import annotations

import os

from hypothesis import settings
from needs import IN_CI

_EXAMPLES = int(os.environ.get("TRACECHECK_EXAMPLES", "100"))

settings.register_profile("dev", max_examples=_EXAMPLES, deadline=None)
settings.register_profile("ci", max_examples=_EXAMPLES, deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile("ci" if IN_CI else "dev")
