"""Run the command line as ``python -m autoenc_bench.cli``, without the command on the path."""

import sys

from autoenc_bench.cli.main import main

sys.exit(main())
