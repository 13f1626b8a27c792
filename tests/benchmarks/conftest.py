"""Makes `benchmarks`, which is no installed package, importable however pytest was started."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))
