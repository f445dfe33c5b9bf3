// The tour of a connection that tests/e2e/test_drivers.py describes, taken by pgx. Prints what it saw as JSON.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const denied = "SELECT pg_read_file('postgresql.conf')"

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func state(err error) string {
	var failure *pgconn.PgError
	if errors.As(err, &failure) {
		return failure.Code
	}
	return fmt.Sprint(err)
}

func count(ctx context.Context, connection *pgx.Conn, marker string) int {
	var found int
	err := connection.QueryRow(ctx, "SELECT count(*) FROM notes WHERE body = $1", marker).Scan(&found)
	return must(found, err)
}

func text(ctx context.Context, connection *pgx.Conn) [][]string {
	rows := must(connection.Query(ctx, "SELECT id, name FROM customers ORDER BY id", pgx.QueryExecModeSimpleProtocol))
	return must(pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]string, error) {
		var id int64
		var name string
		err := row.Scan(&id, &name)
		return []string{fmt.Sprint(id), name}, err
	}))
}

func binary(ctx context.Context, connection *pgx.Conn) []int64 {
	modes := []pgx.QueryExecMode{
		pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec,
	}
	var amounts []int64
	for _, mode := range modes {
		var amount int64
		row := connection.QueryRow(ctx, "SELECT amount_cents FROM orders WHERE id = $1", mode, int64(1002))
		must(0, row.Scan(&amount))
		amounts = append(amounts, amount)
	}
	return amounts
}

func prepared(ctx context.Context, connection *pgx.Conn) []string {
	must(connection.Prepare(ctx, "shown", "SELECT pan FROM cards WHERE id = $1"))
	var shown []string
	for turn := range 10 {
		var number string
		row := connection.QueryRow(ctx, "shown", int64(turn%4+1))
		must(0, row.Scan(&number))
		shown = append(shown, number)
	}
	return shown
}

func transactions(ctx context.Context, connection *pgx.Conn, seen map[string]any) {
	transaction := must(connection.Begin(ctx))
	must(transaction.Exec(ctx, "INSERT INTO notes(body) VALUES ($1)", "pgx taken back"))
	must(0, transaction.Rollback(ctx))
	seen["rolled_back"] = count(ctx, connection, "pgx taken back")
	transaction = must(connection.Begin(ctx))
	must(transaction.Exec(ctx, "INSERT INTO notes(body) VALUES ($1)", "pgx kept"))
	must(0, transaction.Commit(ctx))
	seen["committed"] = count(ctx, connection, "pgx kept")
	transaction = must(connection.Begin(ctx))
	_, err := transaction.Exec(ctx, denied)
	seen["denied_in_transaction"] = state(err)
	_, err = transaction.Exec(ctx, "SELECT 1")
	seen["after_denial"] = state(err)
	must(0, transaction.Rollback(ctx))
	seen["after_rollback"] = count(ctx, connection, "pgx kept")
}

func cancelled(ctx context.Context, connection *pgx.Conn) string {
	go func() {
		time.Sleep(300 * time.Millisecond)
		must(0, connection.PgConn().CancelRequest(ctx))
	}()
	_, err := connection.Exec(ctx, "SELECT count(*) FROM generate_series(1, 2000000000)")
	return state(err)
}

func copies(ctx context.Context, connection *pgx.Conn, seen map[string]any) {
	var out bytes.Buffer
	must(connection.PgConn().CopyTo(ctx, &out, "COPY (SELECT id, name FROM customers ORDER BY id) TO STDOUT"))
	seen["copied_out"] = strings.Split(strings.TrimSpace(out.String()), "\n")
	rows := pgx.CopyFromRows([][]any{{"pgx copied"}, {"pgx copied"}})
	must(connection.CopyFrom(ctx, pgx.Identifier{"notes"}, []string{"body"}, rows))
	seen["copied_in"] = count(ctx, connection, "pgx copied")
}

func denials(ctx context.Context, connection *pgx.Conn) map[string]int {
	states := map[string]int{}
	for range 1000 {
		_, err := connection.Exec(ctx, denied)
		states[state(err)]++
	}
	return states
}

func main() {
	ctx, stop := context.WithTimeout(context.Background(), 100*time.Second)
	defer stop()
	connection := must(pgx.Connect(ctx, ""))
	seen := map[string]any{}
	seen["text"] = text(ctx, connection)
	seen["binary"] = binary(ctx, connection)
	seen["prepared"] = prepared(ctx, connection)
	transactions(ctx, connection, seen)
	seen["cancelled"] = cancelled(ctx, connection)
	copies(ctx, connection, seen)
	seen["denials"] = denials(ctx, connection)
	seen["usable"] = count(ctx, connection, "pgx kept")
	must(0, connection.Close(ctx))
	must(0, json.NewEncoder(os.Stdout).Encode(seen))
}
