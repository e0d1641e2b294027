"""Whether what a model is asked, and what it says, is still as it was."""
