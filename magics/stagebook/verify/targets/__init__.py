"""Ways to run a notebook, a file each: an object `target`, shaped as `verify/target.py` says, named as its file is."""
