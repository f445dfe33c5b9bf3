"""Switch guards off, one at a time, and see that some test notices: `python -m tests.guards [--every N] [word …]`.

Words choose mutations by name or file. Ends with 1 when one survives that is not explained in table.py.
"""

import argparse
import sys
from collections import Counter

from tests.guards.run import Fate, prepared, try_out
from tests.guards.table import ALL, COVERED


def main() -> int:
    """Run the chosen mutations and print what became of each."""
    parser = argparse.ArgumentParser(prog="python -m tests.guards", description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="only each n-th mutation")
    parser.add_argument("words", nargs="*")
    given = parser.parse_args()
    chosen = [m for m in ALL if not given.words or any(word in f"{m.name} {m.file}" for word in given.words)]
    fates: Counter[str] = Counter()
    with prepared() as cluster:
        for mutation in chosen[:: given.every]:
            fate, printed = try_out(mutation, cluster)
            explained = fate is Fate.SURVIVED and mutation.name in COVERED
            wrong = fate is not Fate.KILLED and not explained
            told = "covered" if explained else fate.value
            fates[told] += 1
            print(f"{told:9} {mutation.file}: {mutation.name}", flush=True)  # noqa: T201 -- a command
            if wrong:
                fates["wrong"] += 1
                print(printed[-2000:], flush=True)  # noqa: T201 -- same
    wrong_ones = fates.pop("wrong", 0)
    print("; ".join(f"{count} {fate}" for fate, count in sorted(fates.items())))  # noqa: T201 -- same
    return int(wrong_ones > 0)


if __name__ == "__main__":
    sys.exit(main())
