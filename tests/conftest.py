"""For all tests."""

import os

# Several kernels and workers share the cores: threads that wait for work are to sleep, as in the kernels of a run.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
