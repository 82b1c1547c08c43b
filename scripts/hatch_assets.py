"""Let no wheel or source archive leave without what the browser loads."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class AssetsHook(BuildHookInterface[BuilderConfig]):
    """Build app/static/vendor before anything is packed; unchanged, it is left as it is."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Build the assets, or end the build with what set-up says.

        Raises
        ------
        RuntimeError
            If the assets cannot be built here.
        """
        set_up = Path(self.root) / "scripts" / "setup.py"
        done = subprocess.run(
            [sys.executable, str(set_up), "--assets"], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"The pages' assets cannot be built.\n{done.stderr}")
