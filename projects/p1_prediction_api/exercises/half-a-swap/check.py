"""Publishers in threads, readers in between, a publish that dies half-way."""

import contextlib
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


class Breaks(dict):
    """Files of which the second cannot be read."""

    def items(self):
        yield "weights", b"new"
        raise OSError("no space left on device")


def files(k):
    return {"weights": b"%06d" % k * 3000, "labels": b"%06d" % k}


def check(module):
    with tempfile.TemporaryDirectory() as root:
        folder = module.ModelFolder(root)
        first = folder.publish(files(0))
        with contextlib.suppress(OSError):
            folder.publish(Breaks())
        version, held = module.ModelFolder(root).load()
        assert (version, held) == (first, files(0)), (
            f"a publish that failed half-way left version {version} with {sorted(held)} current"
        )
        second = folder.publish(files(1))
        assert second > first, "a version number was given twice"
        assert folder.roll_back() == first, "rolling back skips the version that never was"
        assert folder.load()[1] == files(0)
        try:
            folder.roll_back()
        except LookupError:
            pass
        else:
            raise AssertionError("rolling back from the first version should raise LookupError")
    with tempfile.TemporaryDirectory() as root:
        module.ModelFolder(root).publish(files(0))

        def publish(k):
            return module.ModelFolder(root).publish(files(k))

        def read(_):
            _, held = module.ModelFolder(root).load()
            return set(held) == {"weights", "labels"} and held["weights"] == held["labels"] * 3000

        with ThreadPoolExecutor(12) as pool:
            numbers = [pool.submit(publish, k) for k in range(1, 61)]
            reads = [pool.submit(read, k) for k in range(300)]
            given = [job.result() for job in numbers]
            assert all(job.result() for job in reads), "a reader saw half a version"
        assert len(set(given)) == len(given), f"{len(given) - len(set(given))} numbers twice"
        left = {p.name for p in Path(root).iterdir() if p.name.startswith((".", "tmp"))}
        assert len(left) <= 2, f"debris is left: {sorted(left)[:4]}"
