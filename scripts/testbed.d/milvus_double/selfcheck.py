"""Checks the double with clients that know nothing of it: pymilvus over gRPC, plain HTTP, boto3.

Needs an S3 store that may be written to:

  PYTHONPATH=scripts/testbed.d .testbed/double/bin/python -m milvus_double.selfcheck --bucket bucket-a \\
      --endpoint http://127.0.0.1:20009 --access-key testbed-a --secret-key testbed-secret-a [--version 2.5.4]...

Prints one line a check; the exit status is 0 only when all of them hold. What it writes lies below selfcheck-*/ in
the bucket and is removed at the end.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback

from .selfcheck_access import ACCESS_PARTS
from .selfcheck_bed import Checks, Store
from .selfcheck_data import DATA_PARTS
from .selfcheck_import import IMPORT_PARTS

VERSIONS = ["2.4.0", "2.4.23", "2.5.4", "2.5.16", "2.6.0", "2.6.15"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("endpoint", "bucket", "access-key", "secret-key"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--version", action="append", help="default: " + " ".join(VERSIONS))
    options = parser.parse_args()
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = "127.0.0.1"
    store = Store(options.endpoint, options.bucket, options.access_key, options.secret_key)
    checks = Checks()
    began = time.monotonic()
    for version in options.version or VERSIONS:
        for part in [*DATA_PARTS, *IMPORT_PARTS, *ACCESS_PARTS]:
            print(f"{version}: {part.__name__.replace('_', ' ')}")
            try:
                part(checks, store, version)
            except Exception:  # noqa: BLE001  # the other parts shall run all the same
                checks.holds("the part ran to its end", False, traceback.format_exc())
    print(f"{checks.passed} hold, {checks.failed} do not ({time.monotonic() - began:.1f} s)")
    return 1 if checks.failed or not checks.passed else 0


if __name__ == "__main__":
    sys.exit(main())
