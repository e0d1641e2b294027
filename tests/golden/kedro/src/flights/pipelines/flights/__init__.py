"""The pipeline of flights.ipynb."""

from .pipeline import create_pipeline

__all__ = ["create_pipeline"]
