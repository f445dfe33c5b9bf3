-- Beside schema_pg.sql: protected values in every kind of place. true.sql and twin.sql fill it with rows whose masks are equal.
CREATE DOMAIN card_number AS varchar(19) CHECK (VALUE ~ '^[0-9*]*$');
CREATE TYPE holder AS (name text, number text);
CREATE TABLE wallets(
  id int PRIMARY KEY, owner bigint REFERENCES customers(id), "Card №" text, short varchar(30), fixed char(19), number card_number,
  numbers text[], held holder, note text, track bytea, pin smallint, doc jsonb, tags text[],
  head text GENERATED ALWAYS AS (left("Card №", 6)) STORED, amount numeric, seen timestamptz);
CREATE INDEX ON wallets ("Card №");
CREATE INDEX ON wallets (left("Card №", 6));
CREATE STATISTICS wallet_values (dependencies, mcv) ON "Card №", note FROM wallets;
CREATE TABLE base_cards(id int, kind text);
CREATE TABLE kid_cards(pan text) INHERITS (base_cards);
CREATE TABLE "Odd Таблица"("select" int PRIMARY KEY, "PAN" text, pan text, "a.b" text);
CREATE TABLE kept(id int, card archive.cards);
CREATE TABLE bound(id int PRIMARY KEY, pan text, brand text, lim int, CHECK (brand <> pan), CHECK (length(pan) < lim));
CREATE VIEW v_bound AS SELECT id, lim AS most, pan AS number, brand FROM bound;
CREATE VIEW v_wallets AS SELECT w.*, c.name FROM wallets w JOIN customers c ON c.id = w.owner;
CREATE VIEW v_tails AS SELECT id, right(pan, 4) AS tail, length(pan) AS size, pan LIKE '4%' AS visa FROM cards;
CREATE VIEW v_both AS SELECT id, pan AS number FROM cards UNION ALL SELECT id, "Card №" FROM wallets;
CREATE VIEW v_grouped AS SELECT cvv, count(*) AS n, max(pan) AS top FROM cards GROUP BY cvv;
CREATE MATERIALIZED VIEW mv_wallets AS SELECT id, "Card №" AS number, note FROM wallets;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO agent_ro, agent_rw;
GRANT INSERT, UPDATE, DELETE ON wallets, base_cards, kid_cards, "Odd Таблица", kept, bound, v_bound TO agent_rw;
