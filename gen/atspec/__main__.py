"""Lets `python3 gen/atspec ...` and `python3 -m atspec ...` run the program."""

import sys
from pathlib import Path

if not __package__:
    # Run as a directory: the package is known to nobody yet. The directory
    # itself must leave the path, or its modules would shadow others.
    here = Path(__file__).resolve().parent
    sys.path[:] = [p for p in sys.path if Path(p).resolve() != here]
    sys.path.insert(0, str(here.parent))

from atspec.cli import main  # noqa: E402

sys.exit(main())
