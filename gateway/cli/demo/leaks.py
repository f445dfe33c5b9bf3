"""Nothing secret was written: no card number, CVV, token or password stands in the log or in what the gateway said."""

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from gateway.cli.demo.scene import Scene
from gateway.cli.demo.stage import Stage
from gateway.cli.demo.tour import PAN, SUPPORT

SENT = "SELECT brand FROM cards WHERE pan = '4111111111111111' OR cvv = '1234'"
WRITTEN = ("var", "gateway.log")


def nothing_secret(stage: Stage) -> Scene:
    """An agent even puts a card number into its statement; then every file is searched."""
    answer = stage.ask(SUPPORT, SENT)
    secrets = dict(known_secrets(stage))
    written = contents(stage.folder)
    found = [
        f"{path.relative_to(stage.folder)} holds {name}"
        for path, content in written.items() for name in held(content, secrets)
    ]  # fmt: skip
    size = sum(map(len, written.values()))
    searched = f"{len(written)} files, {size:,} bytes, searched for {len(secrets)} card numbers, tokens and passwords"
    return Scene(
        title="An agent puts a card number into a statement; does it stand anywhere afterwards?", who=SUPPORT,
        sent=SENT.replace(PAN, "4111…1111"), came="\n".join([searched, *(found or ["none of them was found"])]),
        claim="the trail holds no card number, no token and no password, and still proves what happened",
        holds=not found and not answer.sqlstate and len(written) > len(WRITTEN),
    )  # fmt: skip


def known_secrets(stage: Stage) -> Iterator[tuple[str, bytes]]:
    """What the demo knows that nobody may find: name and bytes."""
    script = files(__package__).joinpath("payments.sql").read_text(encoding="utf-8")
    for number, pan in enumerate(sorted(set(re.findall(r"'(\d{13,19})'", script))), 1):
        yield f"card number {number}", pan.encode()
    for agent in stage.agents:
        token = stage.token_file(agent).read_text(encoding="ascii").strip()
        yield f"the token of {agent}", token.rpartition(".")[2].encode()
    yield "the database's password", (stage.folder / "database-password").read_bytes().strip()


def contents(folder: Path) -> dict[Path, bytes]:
    """What the gateway has written. A file that goes meanwhile has another name now: everything is read again."""
    while True:
        places = [path for name in WRITTEN for path in (folder / name, *sorted((folder / name).rglob("*")))]
        try:
            return {path: path.read_bytes() for path in places if path.is_file()}
        except FileNotFoundError:
            continue


def held(content: bytes, secrets: dict[str, bytes]) -> list[str]:
    """The names of the secrets in it."""
    return [name for name, secret in secrets.items() if secret in content]
