-- The rows of the twin: other lengths, other duplicates, other NULLs in every protected value, and equal masks.
INSERT INTO wallets(id, owner, "Card №", short, fixed, number, numbers, held, note, track, pin, doc, tags, amount, seen) VALUES
 (1, 1, '60110009901311111111', '123456785100', '400000001881', '9876543210123455904', NULL, NULL, 'red', NULL, NULL, NULL, '{a,b}', 1.50, '2024-01-01 00:00+00'),
 (2, 1, '510510514444', '999999999999999999999999995100', '5000000000000001881', '123456785904', '{x}', '(Zoe,9)', 'blue', '\x0102', 77, '{"b": 2}', '{}', 2.50, '2024-01-02 00:00+00'),
 (3, 2, '2222222222224444', '700000000005100', '6000000000001881', '7654321015904', '{y,z}', '(Yan,8)', 'blue', '\x05', 3, '[]', NULL, NULL, NULL),
 (4, 2, 'short', '0', 'x', '5', NULL, NULL, 'ёж', NULL, NULL, NULL, '{c}', 4, '2024-01-04 00:00+00'),
 (5, 3, '', NULL, NULL, NULL, '{4,5}', NULL, '', '\x', 0, '1', '{d,NULL}', 5, '2024-01-05 00:00+00'),
 (6, 4, '4111111111111111', '300000001117', '9999999999999991117', '333333331117', NULL, '(,)', NULL, NULL, 32000, '{"z": 1}', '{e}', 6, '2024-01-06 00:00+00'),
 (7, NULL, '999999991111', '300000000000', '400000000007000', '5000000000007000', NULL, NULL, 'a''b', '\xffff', NULL, '"q"', '{f}', 7, '2024-01-07 00:00+00');
INSERT INTO base_cards VALUES (1, 'base');
INSERT INTO kid_cards VALUES (2, 'kid', '30000000001111'), (3, 'kid', '30000000001111'), (4, 'kid', '1');
INSERT INTO "Odd Таблица" VALUES (1, '1234567890124444', 'shown', 'x.y'), (2, '123456781881', 'also', NULL), (3, NULL, '', 'z');
INSERT INTO bound VALUES (1, '3000000001111', 'visa', 20), (2, NULL, '4111111111111111', 5);
INSERT INTO kept VALUES (1, NULL), (2, ROW(9, 'q')), (3, ROW(8, '7'));
