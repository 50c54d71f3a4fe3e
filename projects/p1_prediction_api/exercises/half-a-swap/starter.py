"""Versions of a model in a folder, and which of them is served."""

from pathlib import Path


class ModelFolder:
    """Publish, load, roll back."""

    def __init__(self, root):
        self.root = Path(root)
        self.root.mkdir(parents=True, exist_ok=True)

    def publish(self, files):
        """Store the next version and serve it."""
        version = len(list(self.root.glob("v*"))) + 1
        (self.root / "CURRENT").write_text(str(version))
        folder = self.root / f"v{version}"
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return version

    def load(self):
        """Return the served version and its files."""
        version = int((self.root / "CURRENT").read_text())
        folder = self.root / f"v{version}"
        return version, {path.name: path.read_bytes() for path in folder.iterdir()}

    def roll_back(self):
        """Serve the version before."""
        version = int((self.root / "CURRENT").read_text()) - 1
        (self.root / "CURRENT").write_text(str(version))
        return version
