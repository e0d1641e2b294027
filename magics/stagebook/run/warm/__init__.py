"""Kernels that are there when they are asked for: forked from a process that has imported what setup imports."""
