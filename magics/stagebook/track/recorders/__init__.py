"""Recorders that a run asks while it goes on; a file each."""
