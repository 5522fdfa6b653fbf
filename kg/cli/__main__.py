"""``python -m kg.cli``: the command line where the program ``kgfraud`` is not on the path."""

from kg.cli import main

main()
