"""Our exporters, a file each, shaped as `stagebook.export.exporter.Exporter` says; its object is called `exporter`."""
