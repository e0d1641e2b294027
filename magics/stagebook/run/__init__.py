"""Deciding what to run, and running it: plan, schedule, kernels, the kernel's side, and Papermill's engine."""
