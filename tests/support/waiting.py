"""Waiting for what happens by itself, and asking an http listener."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping

SECONDS = 30.0


def until(holds: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Return once it holds. Fails when it does not come."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def http_get(url: str, headers: Mapping[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of a GET; status 0 when nobody listens."""
    request = urllib.request.Request(url, headers=dict(headers or {}))  # noqa: S310 -- the test's own address
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as response:  # noqa: S310 -- the test's own address
            return response.status, dict(response.headers), response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()
    except OSError:
        return 0, {}, b""
