"""Guards around recordings: what may not be kept, what was sealed, who may destroy it."""
# ruff: noqa: E501 -- a table, one mutation a line where it fits

from typing import Final

from tests.guards.mutation import Mutation


def _in(module: str, tests: str, *rows: tuple[str, str, str]) -> tuple[Mutation, ...]:
    return tuple(Mutation(name, f"gateway/{module}.py", old, new, (tests,)) for name, old, new in rows)


RECORDING: Final = (
    *_in(
        "frontends/postgres/redacting",
        "frontends/postgres/test_redacting.py",
        (
            "values beside labelled columns are recorded",
            "if statement.hazards or any(column.labels for column in statement.columns):",
            "if statement.hazards:",
        ),
        ("values of what is not understood are recorded", "if statement.hazards or any(", "if any("),
        (
            "values written beside labels are recorded",
            "return not any(relation.labels and ",
            "return not any(False and relation.labels and ",
        ),
        ("passwords are recorded", "if values and not may_hold_secret(text) else", "if values else"),
        ("card numbers in texts are recorded", "    return clean_bytes(kept)\n", "    return kept\n"),
        (
            "card numbers in binary parameters are recorded",
            "    if binary:  # a number's",
            "    if False:  # a number's",
        ),
        ("tokens in parameters are recorded", ' if b"eyJ" in shown else shown', " if False else shown"),
        ("the key that cancels is recorded", '        if kind == ord("K"):\n', "        if False:\n"),
        (
            "numbers cut by a limit are recorded",
            "            return without_content(self.end() + run.raw)",
            "            return self.end() + without_content(run.raw)",
        ),
    ),
    *_in(
        "frontends/postgres/tap",
        "frontends/postgres/test_tap.py",
        (
            "what nobody judged keeps its values",
            '        """The message has been handled."""\n        self._close(values=False)\n',
            '        """The message has been handled."""\n        self._close(values=True)\n',
        ),
        ("what a cleared reader sees is recorded", "    if not shape.exempt:\n", "    if True:\n"),
        (
            "parameters of labelled columns are recorded",
            "(keeps_values(statement) and not may_hold_secret(text.decode()))",
            "True",
        ),
    ),
    *_in(
        "evidence/recorder",
        "evidence/test_recorder.py",
        (
            "statements go on while nothing is recorded",
            "        if self._suspended is not None and event.type is EventType.STATEMENT_DECIDED and event.ok:\n",
            "        if False:\n",
        ),
    ),
    *_in(
        "evidence/recording/store",
        "evidence/recording/test_store.py",
        (
            "a session that cannot be recorded is not held back",
            "        return self.waiting > PENDING_MAX and not self._abandoned\n",
            "        return False\n",
        ),
        (
            "sessions begin while nothing can be recorded",
            "        if self.is_failing:\n            raise",
            "        if False:\n            raise",
        ),
        (
            "a session that gave up lets all others go on",
            "                self._probing = asyncio.get_running_loop().create_task(self._probe())\n",
            "                self.ledger.resume()\n",
        ),
    ),
    *_in(
        "evidence/recording/format",
        "evidence/recording/test_format.py",
        (
            "a bomb is unpacked",
            "        if claimed.content_size != clear.plain or claimed.window_size > PLAIN_MAX:\n",
            "        if False:\n",
        ),
        (
            "any length is believed",
            "    if clear.kind not in {FRAMES, END} or clear.plain > PLAIN_MAX or not TAG_SIZE <= clear.sealed <= SEALED_MAX:\n",
            "    if False:\n",
        ),
    ),
    *_in(
        "evidence/recording/check",
        "evidence/recording/test_check.py",
        (
            "a changed segment is believed",
            "                if hashlib.sha256(data).hexdigest() != sealed.sha256:\n",
            "                if False:\n",
        ),
        ("another key file is believed", "    elif story.key and hashlib", "    elif False and hashlib"),
        (
            "a recording nobody sealed is played as sealed",
            "    if story is None or not story.segments:\n        text",
            "    if story is None or not story.segments:\n        return\n        text",
        ),
    ),
    *_in(
        "cli/audit/shred",
        "cli/audit/test_replay.py",
        ("recordings are destroyed before their time", "    if not legal_reason.strip():\n", "    if False:\n"),
    ),
)
