"""How many threads numerical libraries use in a kernel."""

from __future__ import annotations

import os
from contextlib import suppress

_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def limit_threads(number: int) -> None:
    """Have libraries that are loaded, and those that will be, use so many threads.

    Only where a stage names its `cores`: a sum over another number of threads may come out as another number, so that
    stages are not given fewer than one kernel would have just because they run side by side.
    """
    for name in _VARIABLES:
        os.environ[name] = str(number)
    with suppress(ImportError):  # it comes with scikit-learn; without it, what is loaded already goes on as it does
        import threadpoolctl

        threadpoolctl.threadpool_limits(number)
