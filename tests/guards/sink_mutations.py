"""Guards around sinks: nothing is sent before it is signed, passed by in silence, or believed that was not said."""
# ruff: noqa: E501 -- a table, one mutation a line where it fits

from typing import Final

from tests.guards.mutation import Mutation

_TESTS: Final = "evidence/sinks"


def _in(module: str, *rows: tuple[str, str, str], tests: str = "") -> tuple[Mutation, ...]:
    given = (tests or f"{_TESTS}/test_{module}.py",)
    return tuple(Mutation(name, f"gateway/evidence/sinks/{module}.py", old, new, given) for name, old, new in rows)


SINKS: Final = (
    *_in("courier",
        ("the cursor passes before the receiver has it", "            answer = await self._receiver.send(part)\n", "            answer = Taken() if part else await self._receiver.send(part)\n"),
        ("what was refused is not listed", "        await aside(self._cabinet.park, parked)\n", "        pass\n"),
        ("what was refused is not recorded", "        if told:\n", "        if False:\n"),
        ("a receiver that refuses everything swallows the log", "                    if sum(suspect.leaf is not None for suspect in self._suspects) >= MOST_SUSPECTS:\n", "                    if False:\n"),
        ("a refused leaf about a sink makes another", '        told = [suspect for suspect in suspects if not suspect.type.startswith("sink.")]\n', "        told = suspects\n"),
        ("the log put back is not sent again", "        elif cursor.position > self._follower.end():", "        elif False:"),
    ),
    *_in("cursor", ("a damaged cursor stops a sink", "        except (FileNotFoundError, msgspec.DecodeError):\n            return None\n\n    def save", "        except FileNotFoundError:\n            return None\n\n    def save")),
    *_in("follow", ("deleted leaves are not counted", "        first = self._there(position, known.size)\n", "        position = Position(position.epoch, first := self._there(position, known.size))\n")),
    *_in("formats", ("bodies leave unasked", "        if self._style.bodies and (bodies", "        if (bodies")),
    *_in("posting",
        ("redirects are followed", "allow_redirects=False", "allow_redirects=True"),
        ("an answer that may be cut is believed", "                if not _has_end(response):\n", "                if False:\n"),
    ),
    *_in("to_file", ("a torn line is written behind", "    os.ftruncate(descriptor, size)\n", "    pass\n")),
    *_in("to_otlp", ("a partial success is a whole one", " if rejected else Taken()\n", " if False else Taken()\n")),
    *_in("to_splunk",
        ("valid is taken for indexed", "        return await self._acknowledged(waiting)\n", "        return Taken()\n"),
        ("status 200 is enough for Splunk", "    if answer.code or not reply.ok:\n", "    if not reply.ok:\n"),
    ),
    *_in("to_syslog",
        ("an unsigned end of TLS is one", "                    if not self._place.unsigned_end:\n", "                    if False:\n"),
        ("the end of a receiver is not waited for", "    while await asyncio.get_running_loop().sock_recv(sock, _PIECE):\n        pass\n", ""),
    ),
    *_in("to_webhook", ("errors in a good answer are overlooked", '    return Later("webhook.errors") if said.errors or said.error else Taken()\n', "    return Taken()\n")),
    Mutation("a sink sends in the clear to anybody", "gateway/config/sink_checks.py", "    elif schemes[parts.scheme] and not is_loopback(host):\n", "    elif False:\n", ("config/test_sink_checks.py",)),
    Mutation("retention takes what a sink was not sent", "gateway/config/keeping.py", "                before = unsent\n", "                pass\n", ("config/test_keeping.py",)),
)  # fmt: skip
