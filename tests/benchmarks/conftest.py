"""Make `benchmarks`, which is not an installed package, importable however pytest is started."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))
