"""Exporting a pipeline: what an exporter is. Pure: pipeline and options in, files out; nothing is written here."""
