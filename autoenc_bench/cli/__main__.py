"""``python -m autoenc_bench.cli``, where the command itself is not on the path."""

import sys

from autoenc_bench.cli import main

sys.exit(main())
