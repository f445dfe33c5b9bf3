"""The tables of the search index. Whatever is said often is said once: a decision is six numbers.

Decisions that differ only in time, session and end are of one *shape*: a million decisions are a few thousand shapes,
so conditions and counts are worked out on shapes, and only then looked up among decisions.
"""

from typing import Final

VERSION: Final = 1
"""an index of another version is built again"""
APPLICATION: Final = 0x51574958
"""SQLite's application_id: QWIX"""
LEAF_BITS: Final = 40
"""a decision's number is its log's number and its leaf's"""

AGENT, PERSON, CONNECTION, ACTION, OUTCOME, BUNDLE, RELATION, LABEL, RULE, CONTROL, ENDED = range(11)
"""kinds of terms"""

TABLES: Final = """
CREATE TABLE log (
  id INTEGER PRIMARY KEY, origin TEXT NOT NULL UNIQUE,
  done INTEGER NOT NULL, last BLOB NOT NULL,
  kept INTEGER NOT NULL, kept_last BLOB NOT NULL
);
CREATE TABLE term (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, value TEXT NOT NULL, UNIQUE (kind, value));
CREATE TABLE said (id INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE, folded TEXT NOT NULL);
CREATE TABLE asked (id INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE, said INTEGER NOT NULL);
CREATE TABLE asked_term (asked INTEGER NOT NULL, term INTEGER NOT NULL, PRIMARY KEY (asked, term)) WITHOUT ROWID;
CREATE TABLE reasons (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE reasons_term (
  reasons INTEGER NOT NULL, term INTEGER NOT NULL, PRIMARY KEY (reasons, term)
) WITHOUT ROWID;
CREATE TABLE shape (
  id INTEGER PRIMARY KEY, agent INTEGER NOT NULL, person INTEGER NOT NULL, connection INTEGER NOT NULL,
  action INTEGER NOT NULL, outcome INTEGER NOT NULL, bundle INTEGER NOT NULL, asked INTEGER NOT NULL,
  reasons INTEGER NOT NULL, UNIQUE (agent, person, connection, action, outcome, bundle, asked, reasons)
);
CREATE TABLE session (id INTEGER PRIMARY KEY, sid TEXT NOT NULL UNIQUE);
CREATE TABLE decision (
  id INTEGER PRIMARY KEY, t INTEGER NOT NULL, did BLOB NOT NULL, session INTEGER NOT NULL, shape INTEGER NOT NULL,
  ended INTEGER, end_leaf INTEGER
);
CREATE INDEX decision_t ON decision (t);
CREATE INDEX decision_did ON decision (did);
CREATE INDEX decision_shape ON decision (shape, t);
CREATE INDEX decision_session ON decision (session);
CREATE TABLE force (id INTEGER PRIMARY KEY, bundle INTEGER NOT NULL);
"""
"""`force` has the leaves by which a bundle came into force"""
FULL_TEXT: Final = """
CREATE VIRTUAL TABLE word USING fts5(folded, content='said', content_rowid='id', tokenize='trigram case_sensitive 1')"""
"""of `said`; SQLite may have been built without it"""
