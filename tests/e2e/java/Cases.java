import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.util.PSQLException;
import org.postgresql.util.PSQLWarning;
import org.postgresql.util.ServerErrorMessage;

/**
 * Runs cases by pgjdbc, as many as are asked for. A line asks: mode, URL, user, password, certificate, row to copy in,
 * then the statements, each in base64. A line of JSON answers: rows, their bytes in hexadecimal, every other text.
 */
public final class Cases {
    private static final int FETCHED_AT_ONCE = 2;
    private static final List<String> PARAMETERS =
            List.of("application_name", "client_encoding", "DateStyle", "server_version", "session_authorization", "TimeZone");
    private final List<String> rows = new ArrayList<>();
    private final List<String> bytes = new ArrayList<>();
    private final List<String> text = new ArrayList<>();
    private final String mode;
    private final byte[] copied;

    private Cases(String mode, byte[] copied) {
        this.mode = mode;
        this.copied = copied;
    }

    private static String quoted(String value) {
        if (value == null) {
            return "null";
        }
        StringBuilder made = new StringBuilder("\"");
        for (char letter : value.toCharArray()) {
            if (letter < ' ' || letter == '"' || letter == '\\' || Character.isSurrogate(letter) || letter > '~') {
                made.append(String.format("\\u%04x", (int) letter));
            } else {
                made.append(letter);
            }
        }
        return made.append('"').toString();
    }

    private static String array(List<String> values) {
        return "[" + String.join(",", values) + "]";
    }

    private static String hex(byte[] value) {
        if (value == null) {
            return "null";
        }
        StringBuilder made = new StringBuilder("\"");
        for (byte one : value) {
            made.append(String.format("%02x", one));
        }
        return made.append('"').toString();
    }

    private void say(String what) {
        text.add(quoted(what));
    }

    private Connection open(String url, String user, String password, String certificate) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", user);
        properties.setProperty("password", password);
        properties.setProperty("sslmode", "verify-full");
        properties.setProperty("sslrootcert", certificate);
        properties.setProperty("preferQueryMode", mode.equals("simple") ? "simple" : "extended");
        properties.setProperty("prepareThreshold", mode.equals("prepared") ? "-1" : "5");
        properties.setProperty("socketTimeout", "20");
        return DriverManager.getConnection(url, properties);
    }

    private void message(String kind, ServerErrorMessage told) {
        say(kind + ": " + String.join(" | ", Arrays.asList(
                "" + told.getSeverity(), "" + told.getSQLState(), "" + told.getMessage(), "" + told.getDetail(),
                "" + told.getHint(), "" + told.getWhere(), "" + told.getSchema(), "" + told.getTable(),
                "" + told.getColumn(), "" + told.getDatatype(), "" + told.getConstraint(), "" + told.getPosition(),
                "" + told.getInternalQuery(), "" + told.getInternalPosition())));
    }

    private void error(SQLException raised) {
        for (SQLException error = raised; error != null; error = error.getNextException()) {
            if (error instanceof PSQLException && ((PSQLException) error).getServerErrorMessage() != null) {
                message("error", ((PSQLException) error).getServerErrorMessage());
            } else {
                say("error: the client: " + error.getMessage());
            }
        }
    }

    private void warnings(SQLWarning raised) {
        for (SQLWarning warning = raised; warning != null; warning = warning.getNextWarning()) {
            if (warning instanceof PSQLWarning) {
                message("notice", ((PSQLWarning) warning).getServerErrorMessage());
            } else {
                say("notice: " + warning.getMessage());
            }
        }
    }

    private void result(ResultSet result) throws SQLException {
        ResultSetMetaData columns = result.getMetaData();
        List<String> names = new ArrayList<>();
        for (int column = 1; column <= columns.getColumnCount(); column++) {
            names.add(columns.getColumnLabel(column));
        }
        say(String.join(" ", names));
        while (result.next()) {
            List<String> shown = new ArrayList<>();
            List<String> raw = new ArrayList<>();
            for (int column = 1; column <= names.size(); column++) {
                shown.add(quoted(result.getString(column)));
                raw.add(hex(result.getBytes(column)));
            }
            rows.add(array(shown));
            bytes.add(array(raw));
        }
        warnings(result.getWarnings());
    }

    private void results(Statement statement, boolean isResult) throws SQLException {
        boolean more = isResult;
        while (true) {
            if (more) {
                try (ResultSet result = statement.getResultSet()) {
                    result(result);
                }
            } else if (statement.getUpdateCount() == -1) {
                return;
            } else {
                say("updated " + statement.getUpdateCount());
            }
            more = statement.getMoreResults();
        }
    }

    private void run(Connection connection, String sql) throws SQLException, IOException {
        String head = sql.stripLeading().toLowerCase();
        if (head.startsWith("copy") && head.contains("stdin")) {
            say("copied " + connection.unwrap(PGConnection.class).getCopyAPI().copyIn(sql, new ByteArrayInputStream(copied)));
        } else if (head.startsWith("copy") && head.contains("stdout")) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            try {
                say("copied " + connection.unwrap(PGConnection.class).getCopyAPI().copyOut(sql, out));
            } finally {
                rows.add(array(List.of(quoted(out.toString(StandardCharsets.UTF_8)))));
                bytes.add(array(List.of(hex(out.toByteArray()))));
            }
        } else if (mode.equals("prepared")) {
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                results(statement, statement.execute());
                warnings(statement.getWarnings());
            }
        } else {
            try (Statement statement = connection.createStatement()) {
                statement.setEscapeProcessing(false);
                statement.setFetchSize(mode.equals("portal") ? FETCHED_AT_ONCE : 0);
                results(statement, statement.execute(sql));
                warnings(statement.getWarnings());
            }
        }
    }

    private void attempt(Connection connection, String sql) throws SQLException, IOException {
        try {
            run(connection, sql);
        } catch (SQLException error) {
            error(error);
            if (!connection.isClosed() && !connection.getAutoCommit()) {
                connection.rollback();
            }
        }
        PGConnection here = connection.unwrap(PGConnection.class);
        warnings(connection.getWarnings());
        connection.clearWarnings();
        PGNotification[] told = connection.isClosed() ? null : here.getNotifications();
        for (PGNotification note : told == null ? new PGNotification[0] : told) {
            say("notification: " + note.getName() + " " + note.getParameter());
        }
        for (Map.Entry<String, String> parameter : here.getParameterStatuses().entrySet()) {
            if (PARAMETERS.contains(parameter.getKey())) {
                say(parameter.getKey() + ": " + parameter.getValue());
            }
        }
    }

    private void all(String[] words) throws IOException {
        try (Connection connection = open(words[1], words[2], words[3], words[4])) {
            connection.setAutoCommit(!mode.equals("portal"));
            for (String sql : Arrays.copyOfRange(words, 6, words.length)) {
                attempt(connection, sql);
                if (connection.isClosed()) {
                    say("connection lost");
                    return;
                }
            }
            if (!connection.getAutoCommit()) {
                connection.commit();
            }
        } catch (SQLException error) {
            error(error);
        }
    }

    public static void main(String[] arguments) throws IOException {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = Arrays.stream(line.split(" ", -1))
                    .map(word -> new String(Base64.getDecoder().decode(word), StandardCharsets.UTF_8))
                    .toArray(String[]::new);
            Cases cases = new Cases(words[0], words[5].getBytes(StandardCharsets.UTF_8));
            cases.all(words);
            out.println("{\"rows\":" + array(cases.rows) + ",\"binary\":" + array(cases.bytes)
                    + ",\"text\":" + array(cases.text) + "}");
        }
    }
}
