"""`python -m milvus_double`: see cli.py."""

import sys

from .cli import main

sys.exit(main())
