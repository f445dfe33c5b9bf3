import java.io.StringReader;
import java.io.StringWriter;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.Timer;
import java.util.TimerTask;
import java.util.TreeMap;
import java.util.Map;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;

/** The tour of a connection that tests/e2e/test_drivers.py describes, taken by pgjdbc. Prints what it saw as JSON. */
public final class Drive {
    private static final String DENIED = "SELECT pg_read_file('postgresql.conf')";
    private final Connection connection;
    private final Map<String, String> seen = new TreeMap<>();

    private Drive(Connection connection) {
        this.connection = connection;
    }

    private static Connection open(String prepareThreshold, String mode) throws SQLException {
        Map<String, String> environment = System.getenv();
        Properties properties = new Properties();
        properties.setProperty("user", environment.get("PGUSER"));
        properties.setProperty("password", environment.get("PGPASSWORD"));
        properties.setProperty("sslmode", "verify-full");
        properties.setProperty("sslrootcert", environment.get("PGSSLROOTCERT"));
        properties.setProperty("prepareThreshold", prepareThreshold);
        properties.setProperty("preferQueryMode", mode);
        String where = environment.get("PGHOST") + ":" + environment.get("PGPORT") + "/" + environment.get("PGDATABASE");
        return DriverManager.getConnection("jdbc:postgresql://" + where, properties);
    }

    private static String quoted(String value) {
        return "\"" + value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\t", "\\t") + "\"";
    }

    private static String array(List<String> values) {
        return "[" + String.join(",", values) + "]";
    }

    private String attempt(String sql) {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
            return "no error";
        } catch (SQLException error) {
            return error.getSQLState();
        }
    }

    private int count(String marker) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("SELECT count(*) FROM notes WHERE body = ?")) {
            statement.setString(1, marker);
            ResultSet rows = statement.executeQuery();
            rows.next();
            return rows.getInt(1);
        }
    }

    private void insert(String marker) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("INSERT INTO notes(body) VALUES (?)")) {
            statement.setString(1, marker);
            statement.executeUpdate();
        }
    }

    private void text() throws SQLException {
        List<String> found = new ArrayList<>();
        try (Connection simple = open("5", "simple"); Statement statement = simple.createStatement()) {
            ResultSet rows = statement.executeQuery("SELECT id, name FROM customers ORDER BY id");
            while (rows.next()) {
                found.add(array(List.of(quoted(rows.getString(1)), quoted(rows.getString(2)))));
            }
        }
        seen.put("text", array(found));
    }

    private void binary() throws SQLException {
        try (Connection binary = open("-1", "extended");
                PreparedStatement statement = binary.prepareStatement("SELECT amount_cents FROM orders WHERE id = ?")) {
            statement.setLong(1, 1002);
            ResultSet rows = statement.executeQuery();
            rows.next();
            seen.put("binary", array(List.of(Long.toString(rows.getLong(1)))));
        }
    }

    private void prepared() throws SQLException {
        List<String> shown = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement("SELECT pan FROM cards WHERE id = ?")) {
            for (int turn = 0; turn < 10; turn++) {
                statement.setLong(1, turn % 4 + 1);
                ResultSet rows = statement.executeQuery();
                rows.next();
                shown.add(quoted(rows.getString(1)));
            }
        }
        seen.put("prepared", array(shown));
    }

    private void fetched() throws SQLException {
        List<String> names = new ArrayList<>();
        connection.setAutoCommit(false);
        try (PreparedStatement statement = connection.prepareStatement("SELECT name FROM customers ORDER BY id")) {
            statement.setFetchSize(2);
            ResultSet rows = statement.executeQuery();
            while (rows.next()) {
                names.add(quoted(rows.getString(1)));
            }
        }
        connection.commit();
        connection.setAutoCommit(true);
        seen.put("fetched", array(names));
    }

    private void transactions() throws SQLException {
        connection.setAutoCommit(false);
        insert("java taken back");
        connection.rollback();
        seen.put("rolled_back", Integer.toString(count("java taken back")));
        insert("java kept");
        connection.commit();
        seen.put("committed", Integer.toString(count("java kept")));
        seen.put("denied_in_transaction", quoted(attempt(DENIED)));
        seen.put("after_denial", quoted(attempt("SELECT 1")));
        connection.rollback();
        connection.setAutoCommit(true);
        seen.put("after_rollback", Integer.toString(count("java kept")));
    }

    private void cancelled() throws SQLException {
        Timer timer = new Timer(true);
        try (Statement statement = connection.createStatement()) {
            timer.schedule(new TimerTask() {
                @Override
                public void run() {
                    try {
                        statement.cancel();
                    } catch (SQLException error) {
                        error.printStackTrace();
                    }
                }
            }, 300);
            statement.execute("SELECT count(*) FROM generate_series(1, 2000000000)");
        } catch (SQLException error) {
            seen.put("cancelled", quoted(error.getSQLState()));
        }
    }

    private void batched() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("INSERT INTO notes(body) VALUES (?)")) {
            for (int turn = 0; turn < 3; turn++) {
                statement.setString(1, "java batched");
                statement.addBatch();
            }
            statement.executeBatch();
        }
        seen.put("batched", Integer.toString(count("java batched")));
    }

    private void copies() throws Exception {
        CopyManager copy = connection.unwrap(PGConnection.class).getCopyAPI();
        StringWriter out = new StringWriter();
        copy.copyOut("COPY (SELECT id, name FROM customers ORDER BY id) TO STDOUT", out);
        List<String> lines = new ArrayList<>();
        for (String line : out.toString().trim().split("\n")) {
            lines.add(quoted(line));
        }
        seen.put("copied_out", array(lines));
        copy.copyIn("COPY notes(body) FROM STDIN", new StringReader("java copied\njava copied\n"));
        seen.put("copied_in", Integer.toString(count("java copied")));
    }

    private void denials() throws SQLException {
        Map<String, Integer> states = new TreeMap<>();
        for (int turn = 0; turn < 1000; turn++) {
            states.merge(quoted(attempt(DENIED)), 1, Integer::sum);
        }
        List<String> parts = new ArrayList<>();
        states.forEach((state, times) -> parts.add(state + ":" + times));
        seen.put("denials", "{" + String.join(",", parts) + "}");
        seen.put("usable", Integer.toString(count("java kept")));
    }

    public static void main(String[] arguments) throws Exception {
        try (Connection connection = open("5", "extended")) {
            Drive drive = new Drive(connection);
            drive.text();
            drive.binary();
            drive.prepared();
            drive.fetched();
            drive.transactions();
            drive.cancelled();
            drive.batched();
            drive.copies();
            drive.denials();
            List<String> parts = new ArrayList<>();
            drive.seen.forEach((name, value) -> parts.add(quoted(name) + ":" + value));
            System.out.println("{" + String.join(",", parts) + "}");
        }
    }
}
