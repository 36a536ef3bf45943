/// One thing that was looked at on a server, and what came of it.
public struct ServerFinding: Sendable, Equatable {
    /// How bad it is.
    public enum Verdict: Sendable, Equatable {
        /// As it should be.
        case passed
        /// Works, but somebody should know.
        case warning
        /// A setting must change: exit 78.
        case configuration
        /// A privilege is missing: exit 77.
        case authentication
    }

    /// A short name: `wal_level`.
    public var name: String
    /// How bad it is.
    public var verdict: Verdict
    /// What was found.
    public var message: String
    /// The exact SQL or setting that cures it; empty where all is well.
    public var cure: String
}

/// What a server says of itself, as far as streaming from it depends on it.
public struct ServerFacts: Sendable, Equatable {
    /// The version as a number: 150018.
    public var version: Int
    /// `wal_level`.
    public var walLevel: String
    /// Slots that may exist.
    public var slotsMax: Int
    /// Slots that exist.
    public var slotsUsed: Int
    /// Walsenders that may run.
    public var sendersMax: Int
    /// Walsenders that run.
    public var sendersUsed: Int
    /// A standby.
    public var isInRecovery: Bool
    /// The role of the session.
    public var role: String
    /// The role may start replication: by attribute, as superuser, or by a cloud's own role.
    public var mayReplicate: Bool
    /// The database.
    public var database: String
    /// Its encoding.
    public var encoding: String
    /// The role may create objects in the database: what CREATE PUBLICATION needs.
    public var mayCreate: Bool

    /// Makes facts by hand: for tests.
    public init(
        version: Int, walLevel: String, slotsMax: Int, slotsUsed: Int, sendersMax: Int, sendersUsed: Int, isInRecovery: Bool, role: String,
        mayReplicate: Bool, database: String, encoding: String, mayCreate: Bool
    ) {
        self.version = version
        self.walLevel = walLevel
        self.slotsMax = slotsMax
        self.slotsUsed = slotsUsed
        self.sendersMax = sendersMax
        self.sendersUsed = sendersUsed
        self.isInRecovery = isInRecovery
        self.role = role
        self.mayReplicate = mayReplicate
        self.database = database
        self.encoding = encoding
        self.mayCreate = mayCreate
    }

    /// Asks the server. Ordinary session.
    public init(of connection: Connection) throws(PostgresError) {
        let sql = """
            SELECT current_setting('wal_level') AS wal_level, current_setting('max_replication_slots') AS slots_max,
              (SELECT count(*) FROM pg_replication_slots) AS slots_used, current_setting('max_wal_senders') AS senders_max,
              (SELECT count(*) FROM pg_stat_get_wal_senders()) AS senders_used, pg_is_in_recovery() AS recovery, current_user AS role,
              (SELECT r.rolreplication OR r.rolsuper FROM pg_roles r WHERE r.rolname = current_user)
                OR EXISTS (SELECT FROM pg_roles g WHERE g.rolname = 'rds_replication' AND pg_has_role(g.oid, 'MEMBER')) AS replicates,
              pg_encoding_to_char((SELECT d.encoding FROM pg_database d WHERE d.datname = current_database())) AS encoding,
              has_database_privilege(current_database(), 'CREATE') AS creates
            """
        guard let row = try connection.query(sql, what: "read the server's settings").first else {
            throw PostgresError(.protocolViolation, doing: .reading, what: "read the server's settings", message: "the server gave no row")
        }
        self.init(
            version: connection.serverVersion, walLevel: row["wal_level"] ?? "", slotsMax: row.integer("slots_max") ?? 0,
            slotsUsed: row.integer("slots_used") ?? 0, sendersMax: row.integer("senders_max") ?? 0, sendersUsed: row.integer("senders_used") ?? 0,
            isInRecovery: row.bool("recovery"), role: row["role"] ?? "", mayReplicate: row.bool("replicates"), database: connection.database,
            encoding: row["encoding"] ?? "", mayCreate: row.bool("creates"))
    }
}

/// The checks before a start, each with what is wrong and what cures it.
public enum ServerChecks {
    /// Judges the facts. `needsSlot`: a slot is still to be made; `needsPublication`: so is a publication. Pure.
    public static func findings(_ facts: ServerFacts, needsSlot: Bool, needsPublication: Bool) -> [ServerFinding] {
        var findings = [version(facts), walLevel(facts), recovery(facts), role(facts), senders(facts)]
        if needsSlot { findings.append(slots(facts)) }
        if needsPublication { findings.append(create(facts)) }
        findings.append(encoding(facts))
        return findings
    }

    private static func check(
        _ name: String, _ isGood: Bool, else verdict: ServerFinding.Verdict = .configuration, good: String, bad: String, cure: String
    ) -> ServerFinding {
        isGood
            ? ServerFinding(name: name, verdict: .passed, message: good, cure: "")
            : ServerFinding(name: name, verdict: verdict, message: bad, cure: cure)
    }

    private static func version(_ facts: ServerFacts) -> ServerFinding {
        let text = "\(facts.version / 10_000).\(facts.version % 10_000)"
        return check(
            "server_version", facts.version >= 12_00_00, good: "PostgreSQL \(text)", bad: "PostgreSQL \(text) is older than 12",
            cure: "upgrade the server to 12 or later")
    }

    private static func walLevel(_ facts: ServerFacts) -> ServerFinding {
        check(
            "wal_level", facts.walLevel == "logical", good: "wal_level is logical",
            bad: "wal_level is \(facts.walLevel); row changes are written only with logical",
            cure: "ALTER SYSTEM SET wal_level = 'logical'; then restart the server")
    }

    private static func recovery(_ facts: ServerFacts) -> ServerFinding {
        check(
            "primary", !facts.isInRecovery || facts.version >= 16_00_00, good: facts.isInRecovery ? "a standby of 16 or later" : "a primary",
            bad: "the server is a standby, and before 16 a standby cannot decode",
            cure: "connect to the primary: add target_session_attrs=read-write to source.connection")
    }

    private static func role(_ facts: ServerFacts) -> ServerFinding {
        check(
            "role", facts.mayReplicate, else: .authentication, good: "role \(Identifier.quoted(facts.role)) may replicate",
            bad: "role \(Identifier.quoted(facts.role)) lacks the attribute REPLICATION",
            cure: "ALTER ROLE \(Identifier.quoted(facts.role)) REPLICATION")
    }

    private static func senders(_ facts: ServerFacts) -> ServerFinding {
        check(
            "max_wal_senders", facts.sendersUsed < facts.sendersMax,
            good: "\(facts.sendersMax - facts.sendersUsed) of \(facts.sendersMax) walsenders are free",
            bad: "all \(facts.sendersMax) walsenders are in use",
            cure: "ALTER SYSTEM SET max_wal_senders = \(max(facts.sendersUsed, facts.sendersMax) + 5); then restart the server")
    }

    private static func slots(_ facts: ServerFacts) -> ServerFinding {
        check(
            "max_replication_slots", facts.slotsUsed < facts.slotsMax,
            good: "\(facts.slotsMax - facts.slotsUsed) of \(facts.slotsMax) slots are free",
            bad: "all \(facts.slotsMax) replication slots are taken",
            cure: "ALTER SYSTEM SET max_replication_slots = \(max(facts.slotsUsed, facts.slotsMax) + 5); then restart the server; "
                + "or drop a slot that nobody reads: SELECT slot_name FROM pg_replication_slots WHERE NOT active")
    }

    private static func create(_ facts: ServerFacts) -> ServerFinding {
        check(
            "create_publication", facts.mayCreate, else: .authentication, good: "role \(Identifier.quoted(facts.role)) may create a publication",
            bad: "role \(Identifier.quoted(facts.role)) may not create objects in database \(Identifier.quoted(facts.database))",
            cure: "GRANT CREATE ON DATABASE \(Identifier.quoted(facts.database)) TO \(Identifier.quoted(facts.role)); it must own the tables, too")
    }

    private static func encoding(_ facts: ServerFacts) -> ServerFinding {
        check(
            "encoding", facts.encoding != "SQL_ASCII", else: .warning, good: "database encoding \(facts.encoding)",
            bad: "the database has no encoding (SQL_ASCII): the server cannot promise that texts are UTF-8",
            cure: "dump and restore into a database with ENCODING 'UTF8'")
    }
}
