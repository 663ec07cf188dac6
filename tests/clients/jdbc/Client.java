import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.sql.*;
import java.util.*;
import org.postgresql.PGConnection;

/**
 * What SQL Workbench/J and DBeaver do through the PostgreSQL JDBC driver, a method a story. Prints one line per row,
 * values parted by a bar.
 */
public class Client {
    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        properties.setProperty("user", System.getenv("PGUSER"));
        properties.setProperty("password", System.getenv("PGPASSWORD"));
        for (String option : Arrays.asList(arguments).subList(1, arguments.length)) {
            String[] parts = option.split("=", 2);
            properties.setProperty(parts[0], parts[1]);
        }
        String url = "jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/"
            + System.getenv("PGDATABASE");
        try (Connection connection = DriverManager.getConnection(url, properties)) {
            Client.class.getDeclaredMethod(arguments[0], Connection.class).invoke(null, connection);
        } catch (java.lang.reflect.InvocationTargetException error) {
            throw (Exception) error.getCause();
        }
    }

    static void print(ResultSet rows, String... columns) throws SQLException {
        while (rows.next()) {
            List<String> values = new ArrayList<>();
            if (columns.length == 0) {
                for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) values.add(rows.getString(i));
            }
            for (String column : columns) values.add(rows.getString(column));
            System.out.println(String.join("|", values.stream().map(String::valueOf).toList()));
        }
        rows.close();
    }

    static void run(Connection connection, String... statements) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (String text : statements) statement.execute(text);
        }
    }

    /** The object tree of a SQL client. */
    static void metadata(Connection connection) throws SQLException {
        run(connection, "create schema jdbc",
            "create table jdbc.rides (id int primary key, note varchar(20) not null default 'none', fare decimal(8,2))",
            "create table jdbc.stops (ride int references jdbc.rides (id), stop smallint, at timestamp,"
                + " primary key (ride, stop))",
            "create view jdbc.notes as select id, note from jdbc.rides",
            "comment on table jdbc.rides is 'one line each'");
        DatabaseMetaData about = connection.getMetaData();
        System.out.println(about.getDatabaseProductName());
        print(about.getSchemas(null, "jdbc"), "TABLE_SCHEM");
        print(about.getTables(null, "jdbc", "%", new String[] {"TABLE", "VIEW"}), "TABLE_NAME", "TABLE_TYPE", "REMARKS");
        print(about.getColumns(null, "jdbc", "rides", "%"), "COLUMN_NAME", "DATA_TYPE", "TYPE_NAME", "COLUMN_SIZE",
            "DECIMAL_DIGITS", "NULLABLE", "COLUMN_DEF", "ORDINAL_POSITION");
        print(about.getPrimaryKeys(null, "jdbc", "stops"), "COLUMN_NAME", "KEY_SEQ");
        print(about.getImportedKeys(null, "jdbc", "stops"), "PKTABLE_NAME", "PKCOLUMN_NAME", "FKCOLUMN_NAME");
        print(about.getExportedKeys(null, "jdbc", "rides"), "FKTABLE_NAME", "FKCOLUMN_NAME");
        print(about.getIndexInfo(null, "jdbc", "rides", true, true), "COLUMN_NAME", "NON_UNIQUE");
        print(about.getTablePrivileges(null, "jdbc", "notes"), "GRANTEE", "PRIVILEGE");
        print(about.getBestRowIdentifier(null, "jdbc", "rides", DatabaseMetaData.bestRowSession, false), "COLUMN_NAME");
        Set<String> types = new TreeSet<>();
        ResultSet rows = about.getTypeInfo();
        while (rows.next()) types.add(rows.getString("TYPE_NAME"));
        System.out.println(types.containsAll(List.of("int4", "int8", "varchar", "numeric", "timestamp", "bool", "date")));
        about.getFunctions(null, "pg_catalog", "len%").close();
        about.getProcedures(null, null, "%").close();
        about.getCatalogs().close();
        about.getTableTypes().close();
        about.getColumnPrivileges(null, "jdbc", "rides", "%").close();
        about.getUDTs(null, null, "%", null).close();
    }

    /** More often than the five times after which the driver asks for binary values. */
    static void prepared(Connection connection) throws SQLException {
        String text = "select ?::int + 1, ?::bigint, ?::decimal(20,4), ?::varchar, ?::date, ?::timestamp, ?::float8, ?::boolean";
        try (PreparedStatement statement = connection.prepareStatement(text)) {
            for (int i = 0; i < 7; i++) {
                statement.setInt(1, -i);
                statement.setLong(2, -1234567890123L * i);
                statement.setBigDecimal(3, new BigDecimal("-12.3456").multiply(new BigDecimal(i)));
                statement.setString(4, "é" + i);
                statement.setDate(5, java.sql.Date.valueOf("1999-12-31"));
                statement.setTimestamp(6, Timestamp.valueOf("2020-02-29 12:34:56.789"));
                statement.setDouble(7, i / 4.0);
                statement.setBoolean(8, i % 2 == 0);
                print(statement.executeQuery());
            }
        }
    }

    /** Rows in portions, within a transaction. */
    static void fetchSize(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            statement.setFetchSize(1000);
            ResultSet rows = statement.executeQuery("select generate_series(1, 100000)");
            long sum = 0;
            while (rows.next()) sum += rows.getLong(1);
            System.out.println(sum);
            rows = statement.executeQuery("select generate_series(1, 100000)");
            rows.next();
            rows.close(); // long before the end
            print(statement.executeQuery("select 'next'"));
        }
        connection.commit();
    }

    static void batch(Connection connection) throws SQLException {
        run(connection, "create table jdbc_batch (id int, note varchar(20))");
        connection.setAutoCommit(false);
        try (PreparedStatement insert = connection.prepareStatement("insert into jdbc_batch values (?, ?)")) {
            for (int i = 0; i < 1000; i++) {
                insert.setInt(1, i);
                insert.setString(2, i % 7 == 0 ? null : "note " + i);
                insert.addBatch();
            }
            System.out.println(Arrays.stream(insert.executeBatch()).map(count -> count < 0 ? 1 : count).sum());
        }
        connection.rollback();
        try (Statement statement = connection.createStatement()) {
            statement.addBatch("insert into jdbc_batch values (1, 'a')");
            statement.addBatch("update jdbc_batch set note = 'b'");
            statement.addBatch("delete from jdbc_batch where id = 2");
            System.out.println(Arrays.toString(statement.executeBatch()));
        }
        connection.commit();
        print(connection.createStatement().executeQuery("select id, note from jdbc_batch"));
    }

    static void rewrittenBatch(Connection connection) throws SQLException {
        run(connection, "create table jdbc_rewritten (id int, note varchar(20))");
        try (PreparedStatement insert = connection.prepareStatement("insert into jdbc_rewritten values (?, ?)")) {
            for (int i = 0; i < 1000; i++) {
                insert.setInt(1, i);
                insert.setString(2, "note " + i);
                insert.addBatch();
            }
            System.out.println(insert.executeBatch().length);
        }
        print(connection.createStatement().executeQuery("select count(distinct id) from jdbc_rewritten"));
    }

    static void cancel(Connection connection) throws Exception {
        Statement statement = connection.createStatement();
        Timer again = new Timer(true); // as it has no effect before the statement runs
        again.schedule(new TimerTask() {
            public void run() {
                try {
                    statement.cancel();
                } catch (SQLException error) {
                    System.out.println(error);
                }
            }
        }, 500, 500);
        try {
            statement.executeQuery("select count(*) from (select generate_series(1, 200000) as i) a,"
                + " (select generate_series(1, 200000) as i) b where a.i + b.i = 7 and a.i * b.i = 11");
        } catch (SQLException error) {
            System.out.println(error.getSQLState());
        }
        again.cancel();
        statement.setQueryTimeout(1);
        try {
            statement.executeQuery("select count(*) from (select generate_series(1, 200000) as i) a,"
                + " (select generate_series(1, 200000) as i) b where a.i + b.i = 7 and a.i * b.i = 11");
        } catch (SQLException error) {
            System.out.println(error.getSQLState());
        }
        print(connection.createStatement().executeQuery("select 'still here'"));
    }

    static void errors(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        for (String text : List.of("select nothing from nowhere", "select 1")) {
            try {
                print(connection.createStatement().executeQuery(text));
            } catch (SQLException error) {
                System.out.println(error.getSQLState());
            }
        }
        connection.rollback();
        print(connection.createStatement().executeQuery("select 'again'"));
        System.out.println(connection.isValid(5));
    }

    static void copy(Connection connection) throws Exception {
        run(connection, "create table jdbc_copy (id int, note varchar(20))");
        var manager = connection.unwrap(PGConnection.class).getCopyAPI();
        System.out.println(manager.copyIn("copy jdbc_copy from stdin with (format csv)",
            new StringReader("1,one\n2,\"two, too\"\n3,\n")));
        StringWriter written = new StringWriter();
        System.out.println(manager.copyOut("copy (select * from jdbc_copy order by id) to stdout", written));
        System.out.print(written);
    }

    static void resultMetadata(Connection connection) throws SQLException {
        run(connection, "create table jdbc_described (id int not null, fare decimal(8,2), note varchar(20), at timestamptz)");
        ResultSetMetaData about = connection.createStatement().executeQuery("select * from jdbc_described").getMetaData();
        for (int i = 1; i <= about.getColumnCount(); i++) {
            System.out.println(about.getColumnName(i) + "|" + about.getColumnTypeName(i) + "|" + about.getPrecision(i) + "|"
                + about.getScale(i) + "|" + about.getColumnClassName(i));
        }
        ParameterMetaData parameters = connection
            .prepareStatement("insert into jdbc_described values (?, ?, ?, ?)").getParameterMetaData();
        for (int i = 1; i <= parameters.getParameterCount(); i++) {
            System.out.println(parameters.getParameterTypeName(i));
        }
    }

    static void origins(Connection connection) throws SQLException {
        run(connection, "create table jdbc_origins (id int not null primary key, note varchar(20))");
        run(connection, "insert into jdbc_origins values (1, 'one'), (2, 'two')");
        ResultSetMetaData about = connection.createStatement()
            .executeQuery("select note as remark, id, id + 1 as next from jdbc_origins").getMetaData();
        for (int i = 1; i <= about.getColumnCount(); i++) {
            System.out.println(about.getColumnLabel(i) + "|" + about.getTableName(i) + "|"
                + about.unwrap(org.postgresql.PGResultSetMetaData.class).getBaseColumnName(i) + "|" + about.isNullable(i));
        }
        try (Statement statement =
                connection.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE)) {
            ResultSet rows = statement.executeQuery("select id, note from jdbc_origins where id = 2");
            rows.next();
            rows.updateString("note", "changed");
            rows.updateRow();
        }
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("select note from jdbc_origins order by id")) {
            while (rows.next()) System.out.println(rows.getString(1));
        }
    }
}
