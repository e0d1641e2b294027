"""A notebook as a pipeline: cells, names and the graph they make. Pure; no kernel, no heavy imports."""
