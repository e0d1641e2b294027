"""The exporter of images; see `registry`."""
