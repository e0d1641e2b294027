"""How NumPy prints arrays and treats floating-point errors."""

from __future__ import annotations

import sys
from typing import Any


class NumpyOptions:
    """What `np.set_printoptions` and `np.seterr` set."""

    name = "setting:numpy"
    module = "numpy"

    def get(self) -> Any:
        """Print options and error handling."""
        numpy = sys.modules["numpy"]
        return (numpy.get_printoptions(), numpy.geterr())

    def put(self, value: Any) -> None:
        """Set both."""
        numpy = sys.modules["numpy"]
        printing, errors = value
        numpy.set_printoptions(**printing)
        numpy.seterr(**errors)


state = NumpyOptions()
