import Testing

@testable import Postgres

@Suite(.enabled(if: TestServer.isAvailable), .serialized, .timeLimit(.minutes(2))) struct ConnectionTests {
    private var server: TestServer { get throws { try #require(TestServer.shared) } }

    @Test func hostilePasswordOverTCPAndNeverInAnError() throws {
        let server = try server
        let password = #"p'a\ss"w=o rd"#
        let admin = try server.connect()
        try admin.execute("CREATE ROLE secretive LOGIN PASSWORD \(Identifier.literal(password))")
        func string(_ word: String) -> String {
            let escaped = word.flatMap { $0 == "'" || $0 == "\\" ? ["\\", $0] : [$0] }
            return "host=127.0.0.1 port=\(server.port) user=secretive dbname=postgres password='\(String(escaped))'"
        }
        let connection = try Connection(connecting: string(password), interrupt: Interrupt())
        #expect(try connection.query("SELECT current_user").first?[0] == "secretive")
        #expect(connection.isLocal)
        let error = #expect(throws: PostgresError.self) { try Connection(connecting: string("planted-secret"), interrupt: Interrupt()) }
        #expect(error?.sqlstate == "28P01")
        #expect(error?.failure == .authentication)
        #expect(error?.description.contains("planted") == false)
        let unparsable = #expect(throws: PostgresError.self) { try Connection(connecting: "host=x password='planted", interrupt: Interrupt()) }
        #expect(unparsable?.failure == .configuration)
        #expect(unparsable?.description.contains("planted") == false)
    }

    @Test func missingDatabaseAndClosedPort() throws {
        let server = try server
        let missing = #expect(throws: PostgresError.self) { try server.connect(database: "nowhere") }
        #expect(missing?.failure == .configuration)
        let closed = #expect(throws: PostgresError.self) {
            try Connection(connecting: "host=127.0.0.1 port=1 user=x dbname=y", interrupt: Interrupt())
        }
        #expect(closed?.kind == .connection)
        #expect(closed?.failure == .retryable)
    }

    @Test func severalHostsFallThroughToTheNext() throws {
        let server = try server
        let string = "host=127.0.0.1,127.0.0.1 port=1,\(server.port) user=postgres dbname=postgres target_session_attrs=read-write"
        #expect(try Connection(connecting: string, interrupt: Interrupt()).port == String(server.port))
        // 192.0.2.0/24 answers nobody.
        let slow = "host=192.0.2.1,127.0.0.1 port=\(server.port) user=postgres dbname=postgres"
        let options = ConnectionOptions(connectTimeout: .milliseconds(500))
        #expect(try Connection(connecting: slow, options: options, interrupt: Interrupt()).host == "127.0.0.1")
    }

    @Test(arguments: [false, true]) func settingsAreForcedOnBothKindsOfSession(replication: Bool) throws {
        let server = try server
        let admin = try server.connect()
        let name = "forced\(replication)".lowercased()
        try admin.execute("CREATE DATABASE \(name) TEMPLATE template0")
        try admin.execute("CREATE ROLE \(name) LOGIN SUPERUSER")
        for target in ["ROLE", "DATABASE"] {
            for setting in [
                "datestyle='German, DMY'", "intervalstyle='iso_8601'", "bytea_output='escape'", "timezone='Europe/Amsterdam'", "extra_float_digits=0",
                "search_path=public", "statement_timeout='2s'", "lock_timeout='1s'", "idle_in_transaction_session_timeout='1s'",
                "idle_session_timeout='1s'", "standard_conforming_strings=off", "default_transaction_read_only=on",
            ] { try admin.execute("ALTER \(target) \(name) SET \(setting)") }
        }
        let connection = try server.connect(database: name, user: name, replication: replication)
        let sql = """
            SELECT '1800-01-01 00:00:00+00'::timestamptz::text, '1 year 2 mons -3 days 04:05:06.789'::interval::text, '\\x00ff5c27'::bytea::text,
              '2024-02-01'::date::text, (0.1::float8+0.2::float8)::text, current_setting('statement_timeout'), current_setting('lock_timeout'),
              current_setting('idle_in_transaction_session_timeout'), current_setting('idle_session_timeout'), current_setting('search_path'),
              current_setting('client_encoding')
            """
        let row = try #require(try connection.query(sql).first)
        #expect(
            row.values == [
                "1800-01-01 00:00:00+00", "1 year 2 mons -3 days +04:05:06.789", #"\x00ff5c27"#, "2024-02-01", "0.30000000000000004", "0", "0", "0",
                "0",
                #""""#, "UTF8",
            ])
        try connection.execute("CREATE TABLE public.writable(a int)")
    }

    @Test func errorsCarryTheCodeAndLeaveTheSessionUsable() throws {
        let connection = try server.connect()
        let error = #expect(throws: PostgresError.self) { try connection.query("SELECT 'PII-1'::int") }
        #expect(error?.sqlstate == "22P02")
        #expect(error?.message.contains("PII") == false)
        #expect(try connection.query("SELECT $1::text, $2::text", ["a", nil]).first?.values == ["a", nil])
    }

    @Test func interruptEndsAQueryAtOnce() throws {
        let server = try server
        let interrupt = try Interrupt()
        let running = Background {
            let connection = try server.connect(interrupt: interrupt)
            do {
                try connection.execute("SELECT pg_sleep(30)")
                return PostgresError.Kind.server
            } catch let error as PostgresError { return error.kind }
        }
        sleepMilliseconds(300)
        let start = ContinuousClock.now
        interrupt.interrupt()
        #expect(try running.wait() == .interrupted)
        #expect(ContinuousClock.now - start < .milliseconds(500))
    }

    @Test func slowQueryTimesOut() throws {
        let server = try server
        var options = ConnectionOptions()
        options.queryTimeout = .milliseconds(300)
        let connection = try Connection(connecting: server.address(), options: options, interrupt: Interrupt())
        let error = #expect(throws: PostgresError.self) { try connection.execute("SELECT pg_sleep(30)") }
        #expect(error?.kind == .timeout)
    }

    @Test func factsOfARealServerPass() throws {
        let facts = try ServerFacts(of: try server.connect())
        #expect(ServerChecks.findings(facts, needsSlot: true, needsPublication: true).allSatisfy { $0.verdict == .passed })
    }
}
