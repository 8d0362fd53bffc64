"""`python -m sitegen.cli`, for where the command is not on the path."""

from sitegen.cli import main

main()
