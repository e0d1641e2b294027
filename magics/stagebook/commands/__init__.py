"""One file for commands that belong together: parse, call a plain function, print. `cli.py` puts them in one group."""
