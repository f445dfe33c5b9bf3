"""`bench/run`: measure, print the targets, write docs/reference/performance.md."""

import argparse
import os
import resource
import sys
import time
from dataclasses import replace

from bench.measure import FULL, QUICK, measure
from bench.report import describe_machine, page
from bench.sections import PAGE, with_parts

FILES = 16_384


def main(arguments: list[str]) -> int:
    """Run; 0 when everything could be measured, whether or not targets are met."""
    parser = argparse.ArgumentParser(prog="bench/run", description="direct, pgbouncer and the gateway side by side")
    parser.add_argument("--quick", action="store_true", help="in a minute, less exact; prints the page only")
    parser.add_argument("--rounds", type=int, help="instead of 5, or 1 when quick")
    parser.add_argument("--decisions", type=int, help="size of the log in the end, instead of 100,000")
    asked = parser.parse_args(arguments)
    size = QUICK if asked.quick else FULL
    if asked.rounds:
        size = replace(size, rounds=asked.rounds)
    if asked.decisions:
        size = replace(size, decisions=(*(n for n in size.decisions if n < asked.decisions), asked.decisions))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES if hard == resource.RLIM_INFINITY else min(FILES, hard), hard))
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed gateway has its bytecode when it starts
    begin = time.monotonic()
    machine = describe_machine()
    figures = measure(size, lambda text: print(f"{time.monotonic() - begin:5.0f} s  {text}", file=sys.stderr))
    text = page(figures, " ".join(["bench/run", *arguments]), machine)
    print(text)
    if not asked.quick:
        PAGE.write_text(with_parts(text, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
