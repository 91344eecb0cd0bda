"""A folder for a test of the real daemon, which stays for looking where something was wrong."""

from __future__ import annotations

import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def work_folder(prefix: str, where: Callable[[], list[str]]) -> Iterator[str]:
    """Gone afterwards, but for any error: that is told, with the lines of `where`, and the program ends with 1.

    An error of the test's own says as much of what it found as one of the daemon's: it may come of what the daemon left.
    """
    folder = tempfile.mkdtemp(prefix=prefix)
    try:
        yield folder
    except Exception as failure:
        if not isinstance(failure, AssertionError):
            traceback.print_exception(failure)
        print("\n".join([f"\nThis did not hold: {failure or type(failure).__name__}", *where(), f"  kept: {folder}"]),
              file=sys.stderr, flush=True)
        raise SystemExit(1) from None
    except BaseException:  # told to end
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
