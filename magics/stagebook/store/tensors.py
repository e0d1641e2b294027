"""How PyTorch's tensors are pickled: those in one memory share it again, leaves keep their gradients."""

from __future__ import annotations

import ctypes
import importlib
import sys
from typing import Any


def why_bound(part: Any) -> str | None:
    """What ties a tensor to its process; None for one that can be stored, and for what is no tensor."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(part, torch.Tensor):
        return None
    if part.device.type != "cpu":
        return f"tensor on {part.device}"
    if part.grad_fn is not None:
        return "tensor in a graph of gradients"
    return "tensor with hooks" if part._backward_hooks else None


class Storages:
    """The memory of the tensors met, each one object for all the objects that PyTorch makes for it.

    Attributes:
        met: by address.
    """

    def __init__(self) -> None:
        self.met: dict[int, Any] = {}

    def reduce(self, part: Any) -> tuple[Any, ...] | None:
        """How to make a tensor or its memory anew; None for all else."""
        torch = sys.modules.get("torch")
        if torch is None or isinstance(part, type):
            return None
        if isinstance(part, torch.Tensor):
            reduced: tuple[Any, ...] = part.__reduce_ex__(5)
            has_gradient = part.is_leaf and part.grad is not None
            return (*reduced[:2], part.grad, None, None, _set_gradient) if has_gradient else reduced
        if isinstance(part, torch.storage.TypedStorage):
            return (_typed, (self._one(part._untyped_storage), part.dtype))
        if isinstance(part, torch.UntypedStorage):
            return (_untyped, (_bytes(part),))
        return None

    def _one(self, storage: Any) -> Any:
        address = storage.data_ptr()
        return self.met.setdefault(address, storage) if address else storage


def _bytes(storage: Any) -> Any:
    """The memory as an array of bytes; taken by its address, as memory that PyTorch shares cannot be resized."""
    import numpy as np

    there = (ctypes.c_ubyte * storage.nbytes()).from_address(storage.data_ptr()) if storage.nbytes() else b""
    return np.frombuffer(there, np.uint8)


def _untyped(content: Any) -> Any:
    torch = importlib.import_module("torch")
    storage = torch.UntypedStorage(len(content))
    if len(content):
        _bytes(storage)[:] = content
    return storage


def _typed(storage: Any, dtype: Any) -> Any:
    torch = importlib.import_module("torch")
    return torch.storage.TypedStorage(wrap_storage=storage, dtype=dtype, _internal=True)


def _set_gradient(tensor: Any, gradient: Any) -> None:
    tensor.grad = gradient
