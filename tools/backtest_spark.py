"""A back-test on Spark, for a period too large for one machine: `spark-submit tools/backtest_spark.py BUNDLE HISTORY`.

HISTORY is what `querywarden policy history` writes, or many such folders put into one, on any file system that Spark
reads. The grouping is the very query that DuckDB runs; the candidate is evaluated in each of Spark's Python workers,
which need the querywarden package. Prints one JSON object; exits 1 when a decision would be another one.
"""

import importlib
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from gateway.cli.policy.evaluating import Candidate
from gateway.cli.policy.parquet import GROUPS
from gateway.policy.build import read_bundle_files

CHANGES = """\
SELECT get_json_object(d.text, '$.outcome') AS before, a.outcome AS after, g.subject, g.connection,
       sum(g.count) AS decisions, min(g.example) AS example
FROM groups g JOIN answers a ON a.input = g.input LEFT JOIN documents d ON d.sha256 = g.answer
WHERE a.sha256 <> g.answer
GROUP BY 1, 2, 3, 4 ORDER BY decisions DESC, example"""
COUNTS = """\
SELECT sum(g.count) AS decisions, count(DISTINCT a.input) AS inputs,
       sum(CASE WHEN g.input = '' OR g.answer = '' THEN g.count ELSE 0 END) AS not_asked,
       sum(CASE WHEN g.input <> '' AND g.answer <> '' AND a.input IS NULL THEN g.count ELSE 0 END) AS missing,
       sum(CASE WHEN a.sha256 = g.answer THEN g.count ELSE 0 END) AS same,
       sum(CASE WHEN a.sha256 <> g.answer THEN g.count ELSE 0 END) AS changed
FROM groups g LEFT JOIN answers a ON a.input = g.input AND g.answer <> ''"""


def main(bundle: str, history: str) -> int:
    """The report."""
    spark = importlib.import_module("pyspark.sql").SparkSession.builder.appName("querywarden-backtest").getOrCreate()
    spark.sparkContext.addFile(bundle)
    name = Path(bundle).name
    spark.read.parquet(f"{history}/decisions").createOrReplaceTempView("decisions")
    spark.read.parquet(f"{history}/documents").dropDuplicates(["sha256"]).createOrReplaceTempView("documents")
    spark.sql(GROUPS.format(since=0, until=(1 << 63) - 1)).cache().createOrReplaceTempView("groups")
    asked = spark.sql(
        "SELECT d.sha256, d.text FROM documents d "
        "LEFT SEMI JOIN (SELECT input FROM groups WHERE answer <> '') g ON d.sha256 = g.input"
    ).repartition(spark.sparkContext.defaultParallelism)

    def evaluate(rows: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
        files = importlib.import_module("pyspark").SparkFiles
        candidate = Candidate(read_bundle_files(Path(files.get(name))))
        for sha256, text in rows:
            answer = candidate.ask(text.encode())
            yield sha256, answer.sha256, answer.outcome

    answers = asked.rdd.mapPartitions(evaluate)
    spark.createDataFrame(answers, "input string, sha256 string, outcome string").cache().createOrReplaceTempView(
        "answers"
    )
    counts = spark.sql(COUNTS).first().asDict()
    changes = [row.asDict() for row in spark.sql(CHANGES).collect()]
    print(json.dumps({**counts, "changes": changes}, indent=2))
    return 1 if counts["changed"] or counts["missing"] else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
