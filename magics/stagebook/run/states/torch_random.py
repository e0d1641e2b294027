"""PyTorch's global random generator on the CPU."""

from __future__ import annotations

import sys
from typing import Any


class TorchRandom:
    """The state of torch's default generator, as bytes."""

    name = "state:torch"
    module = "torch"

    def get(self) -> Any:
        """The generator's state."""
        return bytes(sys.modules["torch"].get_rng_state().tolist())

    def put(self, value: Any) -> None:
        """Go on from this state."""
        torch = sys.modules["torch"]
        torch.set_rng_state(torch.tensor(list(value), dtype=torch.uint8))


state = TorchRandom()
