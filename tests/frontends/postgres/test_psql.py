"""psql, as people use it: the simple protocol, its meta commands, COPY both ways, Ctrl-C."""

import os
import signal
import subprocess
import time
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from gateway.core.events import EventType
from tests.frontends.world import World
from tests.support.clients.psql import newest_psql
from tests.support.clients.relay import relay


def psql(
    world: World, *commands: str, connection: str = "payments", stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run commands one by one; nothing of the machine's psqlrc."""
    words = ["psql", "-X", "-A", "-t", "-q", world.conninfo(connection)]
    words += [word for command in commands for word in ("-c", command)]
    return subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=60, check=False)


def newest(world: World, *, stdin: str) -> subprocess.CompletedProcess[str]:
    """A script for psql 18, which has no TLS of its own: a relay speaks it to the gateway."""
    conninfo = world.conninfo()
    parts = conninfo_to_dict(conninfo)
    with relay(int(str(parts["port"])), Path(str(parts["sslrootcert"]))) as port:
        plain = make_conninfo(conninfo, port=str(port), sslmode="disable")
        words = [str(newest_psql()), "-X", "-A", "-t", "-q", "-f", "-", plain]
        return subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=60, check=False)


def test_a_select_is_masked_and_says_so(world: World) -> None:
    found = psql(world, "SELECT id, pan, cvv FROM cards WHERE id < 3 ORDER BY pan")
    assert found.stdout == "1|************1111|\n2|************4444|\n"
    assert "NOTICE:  masked: public.cards.cvv (null), public.cards.pan (last4)" in found.stderr
    assert "Conditions on public.cards.pan see masked values" in found.stderr
    assert found.returncode == 0


def test_its_catalog_commands_give_what_they_give_directly(world: World) -> None:
    commands = ["\\d", "\\d cards", "\\dt", "\\l", "\\dn", "\\df", "\\d+ orders", "\\dv+"]
    through = psql(world, *commands)
    words = ["psql", "-X", "-A", "-t", "-q", world.cluster.conninfo(world.databases["payments"], "agent_rw")]
    words += [word for command in commands for word in ("-c", command)]
    direct = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    assert through.stderr == ""
    assert through.stdout == direct.stdout


def test_copy_goes_out_masked_and_comes_in(world: World, tmp_path: Path) -> None:
    source, target = tmp_path / "in.txt", tmp_path / "out.txt"
    source.write_text("one\ntwo\n", encoding="utf-8")
    found = psql(
        world,
        f"\\copy notes(body) FROM '{source}'",
        f"\\copy (SELECT id, pan FROM cards WHERE id < 3 ORDER BY id) TO '{target}'",  # noqa: S608 -- a path of the test
        f"\\copy cards(id, pan) TO '{target}.all' WITH (FORMAT csv)",
        "SELECT count(*) FROM notes WHERE body IN ('one', 'two')",
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout.split()[-1] == "2"
    assert target.read_text(encoding="utf-8") == "1\t************1111\n2\t************4444\n"
    assert "4111111111111111" not in (tmp_path / "out.txt.all").read_text(encoding="utf-8")


def test_a_refused_statement_names_its_decision_and_the_next_one_runs(world: World) -> None:
    found = psql(world, "SELECT pg_read_file('postgresql.conf')", "SELECT 7")
    assert "ERROR:" in found.stderr
    assert "decision " in found.stderr
    assert found.stdout == "7\n"
    refused = [event for event in world.log.of(EventType.STATEMENT_DECIDED) if not event.ok]
    assert refused[-1].did in found.stderr


def test_ctrl_c_cancels_the_running_statement_and_not_the_session(world: World) -> None:
    script = "SELECT count(*) FROM generate_series(1, 2000000000);\n"
    words = ["psql", "-X", "-A", "-t", "-q", world.conninfo()]
    with subprocess.Popen(words, stdin=-1, stdout=-1, stderr=-1, text=True, start_new_session=True) as running:
        assert running.stdin is not None
        running.stdin.write(script)
        running.stdin.flush()
        world.until(lambda: world.log.of(EventType.STATEMENT_DECIDED))
        time.sleep(0.3)  # the statement has to be at the server
        os.kill(running.pid, signal.SIGINT)
        _, err = running.communicate(timeout=30)
    assert "canceling statement due to user request" in err
    assert world.closed(world.sid()).data["reason"] == "client.terminated"
    (finished,) = world.log.of(EventType.STATEMENT_FINISHED)
    assert finished.data["error"] == "57014"


def test_gdesc_describes_without_running_and_g_runs(world: World) -> None:
    found = psql(world, stdin="SELECT 1 AS n, 'x'::text AS t \\gdesc\nSELECT 2 \\g\nBEGIN;\nSELECT 3;\nCOMMIT;\n")
    assert found.stdout == "n|integer\nt|text\n2\n3\n"
    assert found.stderr == ""


def test_bind_gives_parameters_to_a_masked_statement(world: World) -> None:
    found = newest(
        world, stdin="SELECT id, pan FROM cards WHERE id = $1 \\bind 2 \\g\nSELECT $1::int + $2 \\bind 3 4 \\g\n"
    )
    assert found.stdout == "2|************4444\n7\n"
    assert "ERROR" not in found.stderr


def test_watch_judges_each_run(world: World) -> None:
    found = newest(world, stdin="SELECT pan FROM cards WHERE id = 2 \\watch c=3 i=0.01\n")
    assert [line for line in found.stdout.splitlines() if "*" in line] == ["************4444"] * 3
    assert "ERROR" not in found.stderr
    assert len(world.log.of(EventType.STATEMENT_DECIDED)) == 3
