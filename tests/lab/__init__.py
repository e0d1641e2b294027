"""A package, so that what its fixtures start (a browser and its event loop) ends with the last of its modules."""
