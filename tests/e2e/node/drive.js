// The tour of a connection that tests/e2e/test_drivers.py describes, taken by node-pg. Prints what it saw as JSON.
'use strict'
const fs = require('node:fs')
const { Client, Connection } = require('pg')
const { from, to } = require('pg-copy-streams')
const { pipeline } = require('node:stream/promises')
const { Readable } = require('node:stream')

const DENIED = "SELECT pg_read_file('postgresql.conf')"
const environment = process.env
const settings = {
  host: environment.PGHOST,
  port: Number(environment.PGPORT),
  database: environment.PGDATABASE,
  user: environment.PGUSER,
  password: environment.PGPASSWORD,
  ssl: { ca: fs.readFileSync(environment.PGSSLROOTCERT, 'utf8') },
}

const state = (error) => error.code ?? String(error)
const attempt = (client, ...query) => client.query(...query).then(() => 'no error', state)

async function count(client, marker) {
  const result = await client.query('SELECT count(*) AS n FROM notes WHERE body = $1', [marker])
  return Number(result.rows[0].n)
}

async function transactions(client, seen) {
  await client.query('BEGIN')
  await client.query('INSERT INTO notes(body) VALUES ($1)', ['node taken back'])
  await client.query('ROLLBACK')
  seen.rolled_back = await count(client, 'node taken back')
  await client.query('BEGIN')
  await client.query('INSERT INTO notes(body) VALUES ($1)', ['node kept'])
  await client.query('COMMIT')
  seen.committed = await count(client, 'node kept')
  await client.query('BEGIN')
  seen.denied_in_transaction = await attempt(client, DENIED)
  seen.after_denial = await attempt(client, 'SELECT 1')
  await client.query('ROLLBACK')
  seen.after_rollback = await count(client, 'node kept')
}

async function cancelled(client) {
  const running = attempt(client, 'SELECT count(*) FROM generate_series(1, 2000000000)')
  await new Promise((resolve) => setTimeout(resolve, 300))
  const second = new Connection({ ssl: false })
  second.on('connect', () => second.cancel(client.processID, client.secretKey))
  second.connect(settings.port, settings.host)
  return running
}

async function copies(client, seen) {
  const chunks = []
  const out = client.query(to('COPY (SELECT id, name FROM customers ORDER BY id) TO STDOUT'))
  for await (const chunk of out) chunks.push(chunk)
  seen.copied_out = Buffer.concat(chunks).toString().trim().split('\n')
  await pipeline(Readable.from(['node copied\n', 'node copied\n']), client.query(from('COPY notes(body) FROM STDIN')))
  seen.copied_in = await count(client, 'node copied')
}

async function main() {
  const client = new Client(settings)
  const seen = {}
  await client.connect()
  const text = await client.query({ text: 'SELECT id, name FROM customers ORDER BY id', rowMode: 'array' })
  seen.text = text.rows
  // node-pg reads every field as UTF-8 before its binary parsers see it: only bytes below 128 survive that
  const binary = await client.query({ text: 'SELECT (amount_cents - 2900)::int4 AS n FROM orders WHERE id = $1', values: [1002], binary: true })
  seen.binary = [binary.rows[0].n]
  seen.prepared = []
  for (let turn = 0; turn < 10; turn++) {
    const query = { name: 'shown', text: 'SELECT pan FROM cards WHERE id = $1', values: [(turn % 4) + 1] }
    seen.prepared.push((await client.query(query)).rows[0].pan)
  }
  await transactions(client, seen)
  seen.cancelled = await cancelled(client)
  await copies(client, seen)
  seen.denials = {}
  for (let turn = 0; turn < 1000; turn++) {
    const found = await attempt(client, DENIED)
    seen.denials[found] = (seen.denials[found] ?? 0) + 1
  }
  seen.usable = await count(client, 'node kept')
  await client.end()
  console.log(JSON.stringify(seen))
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
