"""MLflow: every run of a pipeline is a run there, every stage a child of it."""
