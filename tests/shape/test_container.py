"""The image is made from files that exist, holds only what runs, and runs without rights. No engine is needed here."""

import shlex

import pytest

from tests.shape.tree import ROOT

INSTRUCTIONS = [
    line.split(maxsplit=1)
    for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    if line.strip() and not line.lstrip().startswith("#")
]


def arguments(name: str) -> list[str]:
    return [rest for instruction, rest in INSTRUCTIONS if instruction == name]


def copied() -> list[str]:
    """Files and folders of the checkout that are copied into a stage."""
    return [word for rest in arguments("COPY") if "--from=" not in rest for word in shlex.split(rest)[:-1]]


@pytest.mark.parametrize("path", copied())
def test_what_is_copied_exists_and_is_not_ignored(path: str) -> None:
    assert (ROOT / path).exists()
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[1] == "*"
    assert f"!{path}" in ignored


def test_nothing_that_was_let_through_is_left_uncopied() -> None:
    let_through = {
        line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    assert let_through == set(copied())


def test_the_last_stage_holds_only_what_the_first_has_installed() -> None:
    last = max(number for number, (name, _) in enumerate(INSTRUCTIONS) if name == "FROM")
    assert len(arguments("FROM")) == 2
    assert [rest for name, rest in INSTRUCTIONS[last:] if name in {"COPY", "ADD"}] == [
        "--from=build /opt/querywarden /opt/querywarden"
    ]


def test_it_runs_as_a_user_without_rights_by_number() -> None:
    (user,) = arguments("USER")
    assert [int(part) > 0 for part in user.split(":")] == [True, True]
    after = [name for name, _ in INSTRUCTIONS[[name for name, _ in INSTRUCTIONS].index("USER") :]]
    assert "RUN" not in after


def test_it_writes_to_one_volume_which_is_where_it_stands() -> None:
    assert arguments("VOLUME") == arguments("WORKDIR")[-1:] == ["/var/lib/querywarden"]


def test_it_serves_and_is_stopped_in_order() -> None:
    assert arguments("ENTRYPOINT") == ['["querywarden"]']
    assert arguments("CMD") == ['["serve", "-c", "/etc/querywarden/gateway.yaml"]']
    assert arguments("STOPSIGNAL") == ["SIGTERM"]


def test_the_lock_it_installs_from_is_the_projects() -> None:
    assert all("--locked" in rest for rest in arguments("RUN") if "uv sync" in rest)
