"""Write typings/postgast/pg_query_pb2.pyi: the stub of the wheel without the two lines Python cannot parse.

A protobuf message of libpg_query has a field called `None`; mypy stops at it. Run this after updating postgast.
"""

import importlib.metadata
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
DROPPED = re.compile(r"_FIELD_NUMBER: |^ +None: |__slots__|^    def __init__")
HEADER = "# Made by tools/make_stubs.py from postgast {version} (BSD-2-Clause). Do not edit.\n"


def main() -> None:
    """Filter the installed stub."""
    version = importlib.metadata.version("postgast")
    found = importlib.metadata.distribution("postgast").locate_file("postgast/pg_query_pb2.pyi")
    lines = Path(str(found)).read_text(encoding="utf-8").splitlines(keepends=True)
    kept = "".join(line for line in lines if not DROPPED.search(line))
    kept = re.sub(r"(?m)^(class \w+\(_message\.Message\)):\n(?!    )", r"\1: ...\n", kept)
    target = ROOT / "typings/postgast/pg_query_pb2.pyi"
    target.write_text(HEADER.format(version=version) + kept, encoding="utf-8")


if __name__ == "__main__":
    main()
