"""NumPy's global random generator: what `np.random.rand()` and estimators without `random_state` draw from."""

from __future__ import annotations

import sys
from typing import Any


class NumpyRandom:
    """The state of the generator that all of NumPy's module functions share."""

    name = "state:numpy.random"
    module = "numpy.random"

    def get(self) -> Any:
        """The generator's state."""
        return sys.modules[self.module].get_state()  # as an attribute of `numpy` it may be about to be set

    def put(self, value: Any) -> None:
        """Go on from this state."""
        sys.modules[self.module].set_state(value)


state = NumpyRandom()
