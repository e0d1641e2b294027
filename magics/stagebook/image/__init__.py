"""A pipeline and its model as container images: what a context is made of, the context, and building it."""
