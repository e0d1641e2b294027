"""What the magics do in the notebook's own kernel: each verb of `%pipeline`, what is said of a stage cell."""
