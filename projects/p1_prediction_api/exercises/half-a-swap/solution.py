"""Versions of a model in a folder, and which of them is served."""

import os
import shutil
import tempfile
from pathlib import Path


class ModelFolder:
    """Publish, load, roll back; every step that decides something is one atomic rename."""

    def __init__(self, root):
        self.root = Path(root)
        self.root.mkdir(parents=True, exist_ok=True)

    def publish(self, files):
        """Store the next version and serve it."""
        building = Path(tempfile.mkdtemp(prefix=".new-", dir=self.root))
        try:
            for name, content in files.items():
                (building / name).write_bytes(content)
            version = max(self._versions(), default=0) + 1
            while True:
                try:
                    # Renaming onto a folder that is not empty fails: the number is taken.
                    building.rename(self.root / f"v{version}")
                    break
                except OSError:
                    version += 1
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
        self._point_to(version)
        return version

    def load(self):
        """Return the served version and its files."""
        version = int((self.root / "CURRENT").read_text())
        folder = self.root / f"v{version}"
        return version, {path.name: path.read_bytes() for path in folder.iterdir()}

    def roll_back(self):
        """Serve the whole version before."""
        current = int((self.root / "CURRENT").read_text())
        earlier = [version for version in self._versions() if version < current]
        if not earlier:
            raise LookupError(f"version {current} is the first; there is none before it")
        self._point_to(max(earlier))
        return max(earlier)

    def _versions(self):
        return [int(path.name[1:]) for path in self.root.glob("v*")]

    def _point_to(self, version):
        handle, name = tempfile.mkstemp(prefix=".current-", dir=self.root)
        with os.fdopen(handle, "w") as file:
            file.write(str(version))
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(self.root / "CURRENT")
