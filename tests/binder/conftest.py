"""Python finds the tools that rehearse Binder in their own folder."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent.parent / "tools"))
