"""`python -m kplan`."""

from kplan.cli import run

run()
