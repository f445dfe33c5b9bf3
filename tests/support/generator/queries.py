"""Random SELECT statements: sources, joins, CTEs, grouping, windows, set operations, locks, samples."""
# ruff: noqa: S608 -- writing SQL is what this is for

import random
from collections.abc import Sequence

from tests.support.generator.expressions import Expressions, Scope, Source
from tests.support.generator.vocabulary import Relation, Vocabulary

_ALIASES = ("c", "w", "t1", '"Ω b"', '"select"', "cards", "pan", "o", "x", "карта", '"C"', "u2", "lower", "z_9")
_KINDS = ("text", "text", "text", "text", "int", "jsonb", "json", "num", "bool", "texts", "bytea", "row", "time")
_OUTPUTS = {"row": "text"}
_INTERESTING = frozenset({"cards", "wallets", "v_wallets", "card_parts", "num_cards", "v_cards"})


def quoted(name: str) -> str:
    """As an identifier in SQL."""
    plain = name.isascii() and name.replace("_", "").isalnum() and name == name.lower() and name != "select"
    return name if plain else '"' + name.replace('"', '""') + '"'


class Queries:
    """Writes queries; `expressions` writes what stands in them."""

    def __init__(self, rng: random.Random, vocabulary: Vocabulary) -> None:
        self.rng = rng
        self.vocabulary = vocabulary
        self.expressions = Expressions(rng, vocabulary)
        self.expressions.query = self.nested
        self.ctes: list[Source] = []
        self._number = 0

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def fresh(self) -> str:
        self._number += 1
        return f"a{self._number}"

    def kinds(self) -> list[str]:
        return [self.rng.choice(_KINDS) for _ in range(self.rng.randrange(1, 4))]

    # sources ----------------------------------------------------------------------------------------------------

    def relation(self) -> Relation:
        relations = self.vocabulary.relations
        weights = [3 if relation.name in _INTERESTING else 1 for relation in relations]
        return self.rng.choices(relations, weights)[0]

    def named(self, relation: Relation) -> str:
        """A way to write the name of a relation."""
        name = quoted(relation.name)
        ways = [f"{relation.schema}.{name}", f"{relation.schema} . {name}", f'"{relation.schema}"."{relation.name}"']
        if relation.schema == "public":
            ways += [name, name, name, name, f'"{relation.name}"', f"/* x */{name}"]
            ways += [name.upper(), f"{name} *"] if not name.startswith('"') else []
        return self.rng.choice(ways)

    def source(self, depth: int, *, lateral: bool = False) -> tuple[str, Source]:
        """An entry of FROM and what it brings into scope."""
        choice = self.rng.random()
        if self.ctes and choice < 0.2:
            cte = self.rng.choice(self.ctes)
            alias = self.fresh()
            return f"{cte.name} AS {alias}", Source(alias, cte.columns)
        if depth > 0 and choice < 0.35:
            kinds = self.kinds()
            outer = self.expressions.scope
            self.expressions.scope = Scope(list(outer.sources), outer.outer) if lateral else Scope([], outer.outer)
            text = self.query(kinds, depth - 1)
            self.expressions.scope = outer
            alias, names = self.fresh(), [f"k{n}" for n in range(len(kinds))]
            listed = tuple((name, _OUTPUTS.get(kind, kind), "") for name, kind in zip(names, kinds, strict=True))
            return f"{'LATERAL ' if lateral else ''}({text}) AS {alias}({', '.join(names)})", Source(alias, listed)
        return self._table()

    def _table(self) -> tuple[str, Source]:
        relation = self.relation()
        columns = tuple((quoted(name), kind, of) for name, kind, of, _ in relation.columns)
        written = self.named(relation)
        if relation.is_table and self.chance(0.1):
            written = self.rng.choice([f"ONLY {written}", f"ONLY ({written})"]) if "*" not in written[-1] else written
        taken = {source.name for source in self.expressions.scope.sources}
        alias = self.rng.choice(_ALIASES) if self.chance(0.5) else self.fresh()
        sample = self.rng.choice([" TABLESAMPLE SYSTEM (100)", " TABLESAMPLE BERNOULLI (50) REPEATABLE (7)"])
        sample = sample if relation.relkind in {"r", "p", "m"} and self.chance(0.06) else ""
        own = quoted(relation.name)
        if own not in taken and self.chance(0.3):
            return f"{written}{sample}", Source(own, columns)
        alias = self.fresh() if alias in taken else alias
        if self.chance(0.1):
            renamed = [f"r{n}" for n in range(self.rng.randrange(1, len(columns) + 1))]
            columns = (
                tuple((new, kind, of) for new, (_, kind, of) in zip(renamed, columns, strict=False))
                + columns[len(renamed) :]
            )
            return f"{written} AS {alias}({', '.join(renamed)}){sample}", Source(alias, columns)
        return f"{written} {self.rng.choice(['AS ', ''])}{alias}{sample}", Source(alias, columns)

    def sources(self, depth: int) -> str:
        """FROM, into the present scope."""
        scope = self.expressions.scope
        text, first = self.source(depth)
        scope.sources.append(first)
        for _ in range(self.rng.choice([0, 0, 0, 1, 1, 2])):
            text = self._joined(text, depth)
        return text

    def _joined(self, text: str, depth: int) -> str:
        scope = self.expressions.scope
        if self.chance(0.12):
            return f"{text}, {self._function()}"
        other, source = self.source(depth, lateral=self.chance(0.3))
        if source.name in {known.name for known in scope.sources}:
            return text
        shared = set.intersection(*({column[0] for column in each.columns} for each in [source, scope.sources[0]]))
        shared = shared if len(scope.sources) == 1 else set()
        how = self.rng.choice(["JOIN", "LEFT JOIN", "FULL JOIN", "RIGHT JOIN", "CROSS JOIN", "NATURAL JOIN", ","])
        how = how if "LATERAL" not in other else self.rng.choice([",", "JOIN", "LEFT JOIN", "CROSS JOIN"])
        using = self.rng.choice(sorted(shared)) if shared and self.chance(0.4) and "CROSS" not in how else ""
        scope.sources.append(source)
        if how in {"CROSS JOIN", "NATURAL JOIN", ","}:
            return f"{text}{'' if how == ',' else ' '}{how} {other}"
        if using:
            return f"{text} {how} {other} USING ({using}){self.rng.choice(['', '', ' AS j1'])}"
        left, right = scope.sources[0], source
        pairs = [(a, b) for a, k, _ in left.columns for b, m, _ in right.columns if k == m and k in {"int", "text"}]
        if pairs and (how == "FULL JOIN" or self.chance(0.8)):
            a, b = self.rng.choice(pairs)
            return f"{text} {how} {other} ON {left.name}.{a} = {right.name}.{b}"
        return f"{text} {how if how != 'FULL JOIN' else 'JOIN'} {other} ON {self.expressions.condition(min(depth, 1))}"

    def _function(self) -> str:
        """A set-returning function over what is in scope already."""
        make, name = self.expressions, self.fresh()
        text, row = make.leaf("text"), make.row(0)
        made, kind = self.rng.choice(
            [
                (f"unnest({make.leaf('texts')})", "text"),
                (f"regexp_split_to_table({text}, '')", "text"),
                (f"json_each_text(row_to_json({row}))", ""),
                (f"jsonb_each(to_jsonb({row}))", ""),
                (f"generate_series(1, length({text}))", "int"),
                (f"string_to_table({text}, NULL)", "text"),
                (f"jsonb_object_keys(to_jsonb({row}))", "text"),
                (f"regexp_matches({text}, '.', 'g')", "texts"),
                (f"jsonb_to_record(to_jsonb({row}))", "record"),
                (f"jsonb_path_query(to_jsonb({row}), '$.*')", "jsonb"),
                (f"ROWS FROM (unnest({make.leaf('texts')}), generate_series(1, 2))", ""),
                (
                    f"XMLTABLE('/r/a' PASSING XMLELEMENT(name r, XMLELEMENT(name a, {text})) COLUMNS v text PATH '.')",
                    "",
                ),
                (f"unnest({make.leaf('texts')}) WITH ORDINALITY", ""),
                (f"jsonb_array_elements_text(jsonb_build_array({text}, {row}))", "text"),
                (f"jsonb_populate_record(NULL::cards, to_jsonb({row}))", ""),
            ]
        )
        if kind == "record":
            make.scope.sources.append(Source(name, (("pan", "text", "text"), ("id", "int", "int"))))
            return f"{made} AS {name}(pan text, id int)"
        make.scope.sources.append(Source(name, (("v", kind, ""),) if kind else ()))
        return f"{made} AS {name}(v)" if kind else f"{made} AS {name}"

    # queries ----------------------------------------------------------------------------------------------------

    def nested(self, kinds: Sequence[str], depth: int) -> str:
        """A sub-select that sees the present scope from outside."""
        outer = self.expressions.scope
        self.expressions.scope = Scope([], outer)
        text = self.query(kinds, min(depth, 1))
        self.expressions.scope = outer
        return text

    def query(self, kinds: Sequence[str], depth: int) -> str:
        """A query in the present scope level, which is empty."""
        outer, known = self.expressions.scope, list(self.ctes)
        text = self._with(depth) if depth > 0 and self.chance(0.15) else ""
        text += self._body(kinds, depth)
        self.expressions.scope, self.ctes = outer, known
        return f"({text})" if text.startswith("WITH") and self.chance(0.2) else text

    def _with(self, depth: int) -> str:
        """WITH: CTEs that may have the name of a relation, and recursive ones."""
        parts = []
        recursive = self.chance(0.3)
        for _ in range(self.rng.randrange(1, 3)):
            name = self.rng.choice(["cards", "q1", "wallets", "Q2", "v_cards", "orders"])
            if name in {cte.name for cte in self.ctes}:
                continue
            kinds, outer = [self.rng.choice(["text", "text", "int", "jsonb"]) for _ in range(2)], self.expressions.scope
            self.expressions.scope = Scope([], outer.outer)
            body = self._body(kinds, depth - 1)
            self.expressions.scope = outer
            if recursive:
                body = f"({body}) UNION ALL (SELECT k0, k1 FROM {name} WHERE 1 = 0)"
            hint = self.rng.choice(["", "", " MATERIALIZED", " NOT MATERIALIZED"])
            search = self.rng.choice(["", "", " SEARCH DEPTH FIRST BY k0 SET pan", " CYCLE k0 SET cyc USING pth"])
            parts.append(f"{name}(k0, k1) AS{hint} ({body}){search if recursive else ''}")
            self.ctes.append(Source(name, tuple((f"k{n}", kind, "") for n, kind in enumerate(kinds))))
        return f"WITH {'RECURSIVE ' if recursive else ''}{', '.join(parts)} " if parts else ""

    def _body(self, kinds: Sequence[str], depth: int) -> str:
        if depth > 0 and self.chance(0.12):
            kinds = [_OUTPUTS.get(kind, kind) for kind in kinds]
            outer, sides = self.expressions.scope, []
            for _ in range(2):
                self.expressions.scope = Scope([], outer.outer)
                sides.append(self._select(kinds, depth - 1))
            self.expressions.scope = outer
            how = self.rng.choice(["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "EXCEPT ALL"])
            return f"({sides[0]}) {how} ({sides[1]})" + self.rng.choice(["", " ORDER BY 1", " LIMIT 3"])
        if self.chance(0.03) and len(kinds) == 1:
            return f"VALUES ({self.expressions.value(kinds[0], depth)}), ({self.expressions.leaf(kinds[0])})"
        self.expressions.scope = Scope([], self.expressions.scope.outer)
        return self._select(kinds, depth)

    def _select(self, kinds: Sequence[str], depth: int) -> str:
        make = self.expressions
        sources = self.sources(depth)
        where = f" WHERE {make.condition(depth)}" if self.chance(0.4) else ""
        choice = self.rng.random()
        if choice < 0.2:
            return self._grouped(kinds, depth, f" FROM {sources}{where}")
        outputs = [self._output(kind, depth) for kind in kinds]
        distinct = self.rng.choice(["DISTINCT ", f"DISTINCT ON ({make.leaf('text')}) "]) if choice < 0.3 else ""
        text = f"SELECT {distinct}{', '.join(outputs)} FROM {sources}{where}"
        if distinct.startswith("DISTINCT ON"):
            return text
        if self.chance(0.25) and not distinct:
            order = self.rng.choice([make.leaf("text"), make.value("text", depth), "1"])
            text += f" ORDER BY {order}{self.rng.choice(['', ' DESC', ' NULLS FIRST', ' USING <'])}"
        return text

    def _output(self, kind: str, depth: int) -> str:
        make = self.expressions
        if kind in {"text", "int"} and self.chance(0.1):
            return self._window(kind, depth)
        return f"({make.value(kind, depth)})::text" if kind == "row" and self.chance(0.3) else make.value(kind, depth)

    def _window(self, kind: str, depth: int) -> str:
        make = self.expressions
        text = make.value("text", depth)
        call = {
            "text": [
                f"lag({text})",
                f"first_value({text})",
                f"max({text})",
                f"nth_value({text}, 2)",
                f"string_agg({text}, ',')",
            ],
            "int": ["row_number()", "rank()", f"count({text})", "dense_rank()"],
        }[kind]
        frame = self.rng.choice(
            ["", "", " ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW", " GROUPS CURRENT ROW EXCLUDE TIES"]
        )
        part = f"PARTITION BY {make.leaf('text')} " if self.chance(0.5) else ""
        return f"{self.rng.choice(call)} OVER ({part}ORDER BY {make.leaf('text')}{frame})"

    def _grouped(self, kinds: Sequence[str], depth: int, rest: str) -> str:
        """Aggregates, and grouped expressions beside them."""
        make = self.expressions
        keys = [
            make.value("text", min(depth, 1)) if self.chance(0.4) else make.leaf("text")
            for _ in range(self.rng.randrange(0, 3))
        ]
        source = make.scope.sources[0]
        by_key = (
            any(name == "id" for name, _, _ in source.columns) and len(make.scope.sources) == 1 and self.chance(0.2)
        )
        outputs = []
        for kind in kinds:
            if by_key and kind == "text":
                outputs.append(make.leaf("text"))
            elif keys and kind == "text" and self.chance(0.5):
                outputs.append(self.rng.choice(keys))
            else:
                outputs.append(self._aggregate(kind, depth))
        keys = [f"{source.name}.id"] if by_key else keys
        group = ""
        if keys:
            listed = ", ".join(keys)
            group = self.rng.choice(
                [listed] * 5 + [f"ROLLUP ({listed})", f"CUBE ({listed})", f"GROUPING SETS (({listed}), ())"]
            )
            group = f" GROUP BY {group}" if by_key is False else f" GROUP BY {listed}"
        having = (
            f" HAVING {self._aggregate('text', 0)} {self.rng.choice(['>', 'LIKE', '<>'])} {make.leaf('none')}::text"
        )
        return f"SELECT {', '.join(outputs)}{rest}{group}{having if self.chance(0.15) else ''}"

    def _aggregate(self, kind: str, depth: int) -> str:
        make = self.expressions
        text = make.value("text", depth - 1)
        common = {
            "text": [
                f"max({text})",
                f"min({text})",
                f"string_agg({text}, '-' ORDER BY {make.leaf('text')})",
                f"mode() WITHIN GROUP (ORDER BY {text})",
                f"percentile_disc(0.5) WITHIN GROUP (ORDER BY {text})",
                f"string_agg(DISTINCT {text}, ',')",
                f"max({text}) FILTER (WHERE {make.condition(0)})",
            ],
            "int": [
                f"count({text})",
                "count(*)",
                f"count(DISTINCT {text})",
                f"count({make.row(0)})",
                f"sum(length({text}))",
            ],
            "jsonb": [
                f"jsonb_agg({make.row(0)})",
                f"jsonb_object_agg({make.leaf('int')}, {text})",
                f"jsonb_agg({text})",
            ],
            "json": [f"json_agg({make.row(0)})", f"json_agg({text})"],
            "texts": [f"array_agg({text})"],
            "bool": [f"bool_or({make.condition(0)})", f"every({make.condition(0)})"],
            "row": [f"array_agg({make.row(0)})::text"],
        }.get(kind)
        if common and self.chance(0.8):
            return self.rng.choice(common)
        routines = self.vocabulary.aggregates.get(kind, ())
        usable = [found for found in routines if 0 < len(found.arguments) < 3]
        return make.applied(self.rng.choice(usable), 0) if usable else (common or ["NULL"])[0]
