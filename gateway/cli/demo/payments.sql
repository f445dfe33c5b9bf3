-- The demo's payments schema. Every card number is a public test number; every person is invented.
CREATE TABLE customers (
    id      int PRIMARY KEY,
    name    text NOT NULL,
    email   text NOT NULL,
    country char(2) NOT NULL
);
CREATE TABLE cards (
    id          int PRIMARY KEY,
    customer_id int NOT NULL REFERENCES customers,
    brand       text NOT NULL,
    pan         text NOT NULL,
    cvv         char(4) NOT NULL,
    expires     date NOT NULL
);
CREATE TABLE orders (
    id          int PRIMARY KEY,
    customer_id int NOT NULL REFERENCES customers,
    total       numeric(10, 2) NOT NULL,
    placed_at   timestamptz NOT NULL,
    note        text
);
CREATE TABLE transactions (
    id       int PRIMARY KEY,
    order_id int NOT NULL REFERENCES orders,
    card_id  int NOT NULL REFERENCES cards,
    amount   numeric(10, 2) NOT NULL,
    status   text NOT NULL CHECK (status IN ('settled', 'declined', 'refunded'))
);
-- Labels follow the data: nobody classified this view, and its number is protected all the same.
CREATE VIEW wallet AS
    SELECT c.name AS holder, k.brand, k.pan AS number, k.expires FROM customers AS c JOIN cards AS k ON k.customer_id = c.id;

INSERT INTO customers VALUES
    (1, 'Ada Brandt', 'ada@example.com', 'DE'),
    (2, 'Ben Okafor', 'ben@example.com', 'NG'),
    (3, 'Chiara Rossi', 'chiara@example.com', 'IT'),
    (4, 'Dmitri Petrov', 'dmitri@example.com', 'BG'),
    (5, 'Elif Kaya', 'elif@example.com', 'TR'),
    (6, 'Fiona Walsh', 'fiona@example.com', 'IE');
INSERT INTO cards VALUES
    (1, 1, 'visa', '4111111111111111', '123', '2029-03-31'),
    (2, 1, 'amex', '378282246310005', '1234', '2028-11-30'),
    (3, 2, 'mastercard', '5555555555554444', '456', '2027-07-31'),
    (4, 3, 'visa', '4012888888881881', '789', '2030-01-31'),
    (5, 4, 'discover', '6011111111111117', '321', '2028-05-31'),
    (6, 5, 'jcb', '3530111333300000', '654', '2029-09-30'),
    (7, 6, 'mastercard', '5105105105105100', '987', '2027-12-31');
INSERT INTO orders
    SELECT n, 1 + n % 6, (n * 37 % 400) + 0.99, timestamptz '2026-09-01 08:00+00' + n * interval '7 hours', NULL
    FROM generate_series(1, 48) AS n;
-- What people type into free text, and no classification ever finds.
UPDATE orders SET note = 'leave at the door' WHERE id % 5 = 0;
UPDATE orders SET note = 'customer rang, charge 4111 1111 1111 1111 instead' WHERE id = 7;
INSERT INTO transactions
    SELECT n, 1 + n % 48, 1 + n % 7, (n * 37 % 400) + 0.99, (ARRAY['settled', 'settled', 'declined', 'refunded'])[1 + n % 4]
    FROM generate_series(1, 96) AS n;
