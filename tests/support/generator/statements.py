"""Random scripts of statements, each reproducible from a seed and its number: reads, writes, COPY, cursors, EXPLAIN."""
# ruff: noqa: S608 -- writing SQL is what this is for

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.support.generator.expressions import Scope, Source
from tests.support.generator.queries import Queries, quoted
from tests.support.generator.vocabulary import Relation, Vocabulary

_MODES = ("simple", "text", "binary")
_WRITABLE = frozenset(
    [
        "orders",
        "notes",
        "transactions",
        "cards",
        "num_cards",
        "card_parts",
        "card_parts_2024",
        "wallets",
        "kid_cards",
        "base_cards",
        "kept",
        "bound",
        "v_bound",
        "v_safe",
        "v_cards",
    ]
) | {"Odd Таблица"}


@dataclass(frozen=True, slots=True)
class Script:
    """Statements of one transaction, and how they travel."""

    number: int
    statements: Sequence[str]
    mode: int
    rolled_back: bool


def script(vocabulary: Vocabulary, seed: str, number: int, *, explained: bool = False) -> Script:
    """The script with this number; `explained`: an EXPLAIN in any case."""
    rng = random.Random(f"{seed}/{number}")  # noqa: S311  tests that can be repeated, no secret
    statements = _Statements(rng, vocabulary)
    made, rolled_back = (statements.explain(), True) if explained else statements.script()
    return Script(number, made, rng.randrange(len(_MODES)), rolled_back)


class _Statements:
    def __init__(self, rng: random.Random, vocabulary: Vocabulary) -> None:
        self.rng = rng
        self.vocabulary = vocabulary
        self.queries = Queries(rng, vocabulary)
        self.make = self.queries.expressions

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def script(self) -> tuple[list[str], bool]:
        kinds: list[tuple[int, Callable[[], list[str]], bool]] = [
            (60, lambda: [self.read()], False),
            (5, self._star, False),
            (4, self._copy, False),
            (5, self.explain, True),
            (4, self._cursor, True),
            (3, self._prepared, True),
            (3, self._locked, True),
            (2, self._temporary, False),
            (5, self._insert, True),
            (5, self._update, True),
            (3, self._delete, True),
            (2, self._merge, True),
            (2, self._writing_cte, True),
            (2, self._batch, True),
            (2, self._current, True),
            (1, self._talkative, True),
        ]
        weights = [weight for weight, _, _ in kinds]
        _, make, rolled_back = self.rng.choices(kinds, weights)[0]
        made = [self._dressed(text) for text in make()]
        return made, rolled_back

    def _dressed(self, text: str) -> str:
        """Comments and white space where they change nothing."""
        if self.chance(0.05):
            text = text.replace(
                " FROM ", self.rng.choice([" -- 'x\n FROM ", "/* /* nested */ pan */FROM ", "\r\nFROM\t"]), 1
            )
        return f"{text}{self.rng.choice(['', '', '', ';', ' -- end', ' /* 💳 */ ;'])}"

    def depth(self) -> int:
        return self.rng.choice([0, 1, 1, 1, 2, 2, 3])

    def read(self) -> str:
        self.make.scope = Scope()
        text = self.queries.query(self.queries.kinds(), self.depth())
        return (
            text
            + self.rng.choice(
                [
                    "",
                    "",
                    "",
                    " LIMIT 4",
                    " FETCH FIRST 2 ROWS ONLY",
                    " OFFSET 1",
                    " ORDER BY 1 FETCH FIRST 1 ROW WITH TIES",
                ]
            )
            if " LIMIT" not in text[-9:]
            else text
        )

    def _star(self) -> list[str]:
        """Whole relations, by every way to say so."""
        relation = self.queries.relation()
        named, own = self.queries.named(relation), quoted(relation.name)
        self.make.scope = Scope([_source(own, relation)])
        where = f" WHERE {self.make.condition(1)}" if self.chance(0.5) else ""
        ways = [
            f"SELECT * FROM {named}{where}",
            f"TABLE {named}",
            f"SELECT {own} FROM {named}{where}",
            f"SELECT {own}.* FROM {named}",
            f"SELECT ({own}).* FROM {named}",
            f"SELECT to_jsonb({own}) FROM {named}{where}",
            f"SELECT t.* FROM {named} t, {named} u",
            f"SELECT * FROM {named} NATURAL JOIN cards AS k",
            f"SELECT DISTINCT * FROM {named}",
            f"SELECT {own}::text FROM {named}",
            f"SELECT (SELECT q FROM (TABLE {named}) q LIMIT 1)",
            f"SELECT array_agg({own}) FROM {named}",
            f"SELECT * FROM {named} ORDER BY {own}",
            f"SELECT ({own} = {own}) FROM {named}",
            f"SELECT md5({own}::text) FROM {named}",
            f"SELECT pg_column_size({own}), hash_record({own}) FROM {named}",
            f"SELECT tableoid::regclass, ctid FROM {named}{where}",
            f"SELECT {relation.schema}.{own}.* FROM {relation.schema}.{own}",
            f"SELECT count(*) FROM {named}{where}",
        ]
        return [self.rng.choice(ways)]

    def _copy(self) -> list[str]:
        options = self.rng.choice(
            [
                "",
                " (FORMAT csv, HEADER)",
                " (FORMAT binary)",
                " WITH CSV",
                " (FORMAT csv, FORCE_QUOTE *)",
                " (DELIMITER '|', NULL 'n')",
            ]
        )
        if self.chance(0.4):
            return [f"COPY ({self.read().rstrip(';')}) TO STDOUT{options}"]
        relation = self.queries.relation()
        columns = [quoted(name) for name, _, _, _ in relation.columns]
        listed = (
            f" ({', '.join(self.rng.sample(columns, self.rng.randrange(1, len(columns) + 1)))})"
            if self.chance(0.5)
            else ""
        )
        return [f"COPY {self.queries.named(relation).removesuffix(' *')}{listed} TO STDOUT{options}"]

    def explain(self) -> list[str]:
        """EXPLAIN of a query or of a write."""
        options = self.rng.choice(
            [
                "",
                " VERBOSE",
                " (COSTS OFF)",
                " (VERBOSE, FORMAT json)",
                " (ANALYZE, TIMING OFF, SUMMARY OFF)",
                " ANALYZE",
            ]
        )
        writes = self.rng.choice([self._update, self._delete, self._insert, self._merge])
        return [f"EXPLAIN{options} {writes()[0] if self.chance(0.15) else self.read()}"]

    def _cursor(self) -> list[str]:
        kind = self.rng.choice(["", "BINARY ", "SCROLL ", "INSENSITIVE "])
        hold = self.rng.choice(["", "", " WITH HOLD"])
        fetches = [
            "FETCH 2 FROM cur",
            "FETCH ALL cur",
            "FETCH BACKWARD 1 IN cur",
            "MOVE 1 IN cur",
            "FETCH FIRST FROM cur",
        ]
        return [f"DECLARE cur {kind}CURSOR{hold} FOR {self.read()}", *self.rng.sample(fetches, 2), "CLOSE cur"]

    def _prepared(self) -> list[str]:
        text = self.read().rstrip(";")
        run = self.rng.choice(["EXECUTE st", "EXPLAIN EXECUTE st", "EXECUTE st('4')"])
        if "'4'" in text and self.chance(0.7):
            return [
                f"PREPARE st(text) AS {text.replace(chr(39) + '4' + chr(39), '$1', 1)}",
                "EXECUTE st('4')",
                "DEALLOCATE st",
            ]
        return [f"PREPARE st AS {text}", run, "DEALLOCATE st"]

    def _locked(self) -> list[str]:
        relation = self.queries.relation()
        own = quoted(relation.name)
        self.make.scope = Scope([_source(own, relation)])
        how = self.rng.choice(
            ["FOR UPDATE", "FOR SHARE SKIP LOCKED", f"FOR UPDATE OF {own}", "FOR NO KEY UPDATE NOWAIT"]
        )
        value, where = self.make.value("text", 1), self.make.condition(1)
        return [f"SELECT {value} FROM {self.queries.named(relation)} WHERE {where} {how}"]

    def _temporary(self) -> list[str]:
        """A relation of the agent's own, made of what it sees."""
        text = self.read().rstrip(";")
        if self.chance(0.2):
            return ["DROP VIEW IF EXISTS v_tmp", f"CREATE TEMP VIEW v_tmp AS {text}", "SELECT * FROM v_tmp"]
        make = [f"CREATE TEMP TABLE tmp AS {text}", f"CREATE TABLE tmp AS {text}"]
        if text.startswith("SELECT") and " FROM " in text:
            make.append(text.replace(" FROM ", " INTO TEMP tmp FROM ", 1))
        return ["DROP TABLE IF EXISTS tmp", self.rng.choice(make), "SELECT * FROM tmp", "SELECT tmp FROM tmp"]

    def _batch(self) -> list[str]:
        """Several statements in one message."""
        return [f"{self._star()[0]}; {self.read().rstrip(';')}; {self.rng.choice([self._update, self._delete])()[0]}"]

    def _current(self) -> list[str]:
        """A cursor, and a write to the row it stands on."""
        relation, _, _ = self._target()
        own = quoted(relation.name)
        self.make.scope = Scope([_source(own, relation)])
        value, where = self.make.value("text", 1), self.make.condition(0)
        lock = self.rng.choice(["", " FOR UPDATE", " ORDER BY 1"])
        name, kind, of = self.rng.choice(self._plain(relation))
        change = self.rng.choice(
            [f"UPDATE {own} SET {quoted(name)} = {self._assigned(kind, of)}", f"DELETE FROM {own}"]
        )
        declare = f"DECLARE cur CURSOR FOR SELECT {value} FROM {own} WHERE {where}{lock}"
        return [declare, "FETCH 1 FROM cur", f"{change} WHERE CURRENT OF cur{self._returning(own)}", "FETCH ALL cur"]

    def _talkative(self) -> list[str]:
        """Everything the server says at the lowest level reaches the client."""
        level = self.rng.choice(["debug5", "debug1", "log", "notice"])
        return [f"SET LOCAL client_min_messages = {level}", self._update()[0] if self.chance(0.5) else self.read()]

    # writes -----------------------------------------------------------------------------------------------------

    def _target(self) -> tuple[Relation, str, str]:
        """A target, how it is written, and the name it goes by."""
        found = [
            relation
            for relation in self.vocabulary.relations
            if relation.name in _WRITABLE and relation.schema == "public"
        ]
        relation = self.rng.choice(found)
        own = quoted(relation.name)
        alias = "tgt" if self.chance(0.4) else own
        self.make.scope = Scope(
            [Source(alias, tuple((quoted(name), kind, of) for name, kind, of, _ in relation.columns))]
        )
        return (
            relation,
            self.queries.named(relation).removesuffix(" *") + (f" AS {alias}" if alias != own else ""),
            alias,
        )

    def _returning(self, alias: str) -> str:
        make = self.make
        ways = [
            "*",
            f"{alias}.*",
            make.leaf("text"),
            make.leaf("text"),
            f"{make.leaf('int')}, {make.value('text', 1)}",
            alias,
            "count(*)",
        ]
        return f" RETURNING {self.rng.choice(ways)}{self.rng.choice(['', ' AS y'])}" if self.chance(0.7) else ""

    def _plain(self, relation: Relation) -> list[tuple[str, str, str]]:
        """Columns that may be assigned."""
        return [(name, kind, of) for name, kind, of, generated in relation.columns if not generated and kind != "other"]

    def _assigned(self, kind: str, of: str) -> str:
        """A value to store: a literal, mostly."""
        make = self.make
        if self.chance(0.25):
            return make.value(kind, 1)
        outer, make.scope = make.scope, Scope()
        value = make.leaf(kind) if kind != "other" else "NULL"
        make.scope = outer
        return f"({value})::{of}" if kind != "row" else "NULL"

    def _insert(self) -> list[str]:
        relation, written, alias = self._target()
        columns = self._plain(relation)
        chosen = [column for column in columns if column[0] == "id" or self.chance(0.7)] or columns
        names = ", ".join(quoted(name) for name, _, _ in chosen)
        if self.chance(0.6):
            scope, self.make.scope = self.make.scope, Scope()
            number = str(self.rng.choice([1, 2, 900, 901]))
            rows = ", ".join(number if name == "id" else self._assigned(kind, of) for name, kind, of in chosen)
            self.make.scope, text = scope, f"VALUES ({rows})"
        else:
            scope = self.make.scope
            self.make.scope = Scope()
            text = self.queries.query([kind for _, kind, _ in chosen], 1)
            self.make.scope = scope
        conflict = ""
        if self.chance(0.4):
            name, kind, of = self.rng.choice(columns)
            key = self.rng.choice(["(id)", "", "(id)", f"({quoted(name)})"])
            value = self.rng.choice([f"excluded.{quoted(name)}", self._assigned(kind, of)])
            update = f" DO UPDATE SET {quoted(name)} = {value}" + (
                f" WHERE {self.make.condition(0)}" if self.chance(0.3) else ""
            )
            conflict = f" ON CONFLICT {key}{self.rng.choice([' DO NOTHING', update if key else ' DO NOTHING'])}"
        return [f"INSERT INTO {written} ({names}) {text}{conflict}{self._returning(alias)}"]

    def _update(self) -> list[str]:
        relation, written, alias = self._target()
        chosen = self.rng.sample(self._plain(relation), 1)
        settings = ", ".join(f"{quoted(name)} = {self._assigned(kind, of)}" for name, kind, of in chosen)
        if self.chance(0.15):
            outer = self.make.scope
            listed = ", ".join(quoted(name) for name, _, _ in chosen)
            row = ", ".join(self._assigned(kind, of) for _, kind, of in chosen)
            nested = self.queries.nested([kind for _, kind, _ in chosen], 1)
            settings = f"({listed}) = {self.rng.choice([f'ROW({row})', f'({nested} LIMIT 1)'])}"
            self.make.scope = outer
        source = ""
        if self.chance(0.25):
            text, extra = self.queries.source(1)
            if extra.name not in {alias, "tgt"}:
                self.make.scope.sources.append(extra)
                source = f" FROM {text}"
        where = self._where(alias, relation)
        only = self.rng.choice(["", "", "ONLY "]) if relation.is_table else ""
        return [f"UPDATE {only}{written} SET {settings}{source}{where}{self._returning(alias)}"]

    def _where(self, alias: str, relation: Relation) -> str:
        if self.chance(0.5) and any(name == "id" for name, *_ in relation.columns):
            return f" WHERE {alias}.id = {self.rng.choice([1, 2, 3, 1001])}"
        return f" WHERE {self.make.condition(1)}" if self.chance(0.8) else ""

    def _delete(self) -> list[str]:
        relation, written, alias = self._target()
        using = ""
        if self.chance(0.3):
            text, extra = self.queries.source(1)
            if extra.name != alias:
                self.make.scope.sources.append(extra)
                using = f" USING {text}"
        return [f"DELETE FROM {written}{using}{self._where(alias, relation)}{self._returning(alias)}"]

    def _merge(self) -> list[str]:
        relation, written, alias = self._target()
        text, extra = self.queries.source(1)
        if extra.name == alias:
            return [self.read()]
        self.make.scope.sources.append(extra)
        name, kind, of = self.rng.choice(self._plain(relation))
        numbers = [column for column, of_kind, _ in extra.columns if of_kind == "int"] or ["id"]
        on = f"{alias}.id = {extra.name}.{self.rng.choice(numbers)}" if self.chance(0.7) else self.make.condition(1)
        clauses = [
            f"WHEN MATCHED THEN UPDATE SET {quoted(name)} = {self._assigned(kind, of)}",
            "WHEN MATCHED THEN DELETE",
            f"WHEN MATCHED AND {self.make.condition(0)} THEN DELETE",
            "WHEN NOT MATCHED THEN DO NOTHING",
        ]
        return [f"MERGE INTO {written} USING {text} ON {on} {self.rng.choice(clauses)}"]

    def _writing_cte(self) -> list[str]:
        """A CTE that writes, and a query over what it returns."""
        inner = self.rng.choice([self._update, self._delete, self._insert])()[0]
        self.make.scope = Scope()
        rest = self.rng.choice(
            [
                "SELECT * FROM wr",
                "SELECT wr FROM wr",
                "SELECT count(*) FROM wr",
                "INSERT INTO notes(body) SELECT wr::text FROM wr",
            ]
        )
        return [f"WITH wr AS ({inner}) {rest}"]


def _source(name: str, relation: Relation) -> Source:
    return Source(name, tuple((quoted(column), kind, of) for column, kind, of, _ in relation.columns))
