"""A registered model as a service that speaks MLflow's scoring protocol, with a log of what it was asked."""
