"""`python -m pipelines` is `kiln`."""

from pipelines.cli import main

main()
