"""`python -m stagebook`."""

from stagebook.cli import main

main()
