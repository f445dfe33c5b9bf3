"""The checks of the section `policy`: keys, engines, and where bundles come from and go to."""

import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from gateway.config import settings as s
from gateway.config.checks import Remark, check_authority, check_file, check_secret, is_file
from gateway.config.document import Place
from gateway.config.quantities import Duration, Location, is_loopback
from gateway.core.errors import ConfigError
from gateway.policy.keys import load_key

_POLL: Final = (Duration(1), Duration(3600))
_BARE: Final = re.compile(r"https?://[^/?#]+/?")
_OPA: Final = (Duration(0.001), Duration(60))


def check_policy(policy: s.Policy) -> Iterator[Remark]:
    """Keys that are public keys, an engine that is there, addresses that can be trusted."""
    yield from _check_source(policy)
    yield from _check_engines(policy)
    if policy.shadow is not None:
        yield from _check_shadow(policy.shadow)
    if policy.publish.token is not None:
        yield from check_secret(policy.publish.token, ("policy", "publish", "token"))
    for index, path in enumerate(policy.verification_keys):
        place = ("policy", "verification_keys", index)
        found = list(check_file(path, place))
        yield from found or _check_public_key(path, place)


def _check_source(policy: s.Policy) -> Iterator[Remark]:
    place: Place = ("policy", "bundle_server")
    server = policy.bundle_server
    if not policy.bundle.is_url:
        if not is_file(policy.bundle.path):
            text = "there is no such file: everything is denied until there is"
            yield Remark(("policy", "bundle"), text, warning=True)
        return
    yield from _check_address(policy.bundle, ("policy", "bundle"), secret=server.token is not None)
    if server.ca is not None:
        yield from check_authority(server.ca, (*place, "ca"))
    if server.token is not None:
        yield from check_secret(server.token, (*place, "token"))
    if not _POLL[0] <= server.poll <= _POLL[1]:
        yield Remark((*place, "poll"), "must be between 1s and 1h")
    if server.timeout <= 0:
        yield Remark((*place, "timeout"), "must be more than nothing")


def _check_address(url: str, place: Place, *, secret: bool) -> Iterator[Remark]:
    """A bundle is signed, so that who carries it matters little; a token must not be read on its way."""
    host = host_of(url)
    if not host:
        yield Remark(place, "not an address: write https://host/path, without a user name")
    elif url.startswith("http://") and not is_loopback(host):
        if secret:
            yield Remark(place, "others could read the token on its way: write https")
        else:
            yield Remark(place, "http: others can hold back a new bundle on its way", warning=True)


def _check_engines(policy: s.Policy) -> Iterator[Remark]:
    second = policy.second_engine
    if second is not None and second.engine == policy.engine:
        yield Remark(("policy", "second_engine", "engine"), "is the one that decides: name the other")
    if policy.opa is None:
        if "opa" in {policy.engine, second.engine if second else ""}:
            yield Remark(("policy", "engine"), "engine opa needs opa: {url: …}")
        return
    yield from _check_opa(policy.opa)


def _check_opa(opa: s.Opa) -> Iterator[Remark]:
    place: Place = ("policy", "opa")
    host = host_of(opa.url)
    if opa.url.startswith("http://") and host and not is_loopback(host):
        yield Remark((*place, "url"), "http only on this machine: others could answer in OPA's place")
    elif not (opa.url.startswith("unix:///") or (host and _BARE.fullmatch(opa.url))):
        yield Remark((*place, "url"), "write unix:///path, https://host:port, or http://127.0.0.1:port")
    if not _OPA[0] <= opa.timeout <= _OPA[1]:
        yield Remark((*place, "timeout"), "must be between 1ms and 1m")
    if opa.ca is not None:
        yield from check_authority(opa.ca, (*place, "ca"))
    if opa.token is not None:
        yield from check_secret(opa.token, (*place, "token"))
    if opa.tls is not None:
        yield from _check_pair(opa.tls, (*place, "tls"))


def _check_pair(tls: s.ServerTls, place: Place) -> Iterator[Remark]:
    found = [*check_file(tls.cert, (*place, "cert")), *check_file(tls.key, (*place, "key"), private=True)]
    yield from found
    if not found:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(tls.cert, tls.key, password=lambda: "")
        except (ssl.SSLError, OSError, ValueError):
            yield Remark(place, "certificate and key cannot be read, or do not belong together")


def _check_shadow(shadow: Location) -> Iterator[Remark]:
    if shadow.is_url:
        yield Remark(("policy", "shadow"), "a candidate is a file: give its path")
    elif not is_file(shadow.path):
        yield Remark(("policy", "shadow"), "there is no such file: nothing is compared until there is", warning=True)


def _check_public_key(path: Path, place: Place) -> Iterator[Remark]:
    try:
        load_key(path)
    except ConfigError as error:
        yield Remark(place, error.detail)


def host_of(url: str) -> str:
    """The host of an address; empty when there is none, or when somebody's name stands in it."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return ""
    return "" if parts.username is not None or parts.fragment else parts.hostname or ""
