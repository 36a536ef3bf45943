/// A replication slot as the server describes it.
public struct SlotState: Sendable, Equatable {
    /// Its name.
    public var name: String
    /// The output plugin; nil for a physical slot.
    public var plugin: String?
    /// `logical` or `physical`.
    public var type: String
    /// The database that it belongs to.
    public var database: String?
    /// Whether a process uses it.
    public var isActive: Bool
    /// The process that uses it.
    public var activePID: Int32?
    /// The oldest WAL that the server keeps for it.
    public var restartLSN: LSN?
    /// What its reader has confirmed.
    public var confirmedFlushLSN: LSN?
    /// `reserved`, `extended`, `unreserved` or `lost`; nil before 13.
    public var walStatus: String?
    /// Bytes of WAL that the server keeps for it.
    public var retainedBytes: UInt64?
    /// Dropped with its session.
    public var isTemporary: Bool
    /// Decodes prepared transactions.
    public var isTwoPhase: Bool
    /// Why the server has invalidated it, in its own words; nil while it is good.
    public var invalidation: String?
}

/// A slot as it was made.
public struct CreatedSlot: Sendable, Equatable {
    /// Its name.
    public var name: String
    /// Everything that commits after this position comes by the stream; the snapshot holds all before.
    public var consistentPoint: LSN
    /// The exported snapshot; good until the next command on the session that made the slot.
    public var snapshot: String?
}

/// The server's identity.
public struct SystemIdentity: Sendable, Equatable {
    /// Unique to each `initdb`; text, since it exceeds a signed number.
    public var systemIdentifier: String
    /// Rises with each promotion.
    public var timeline: UInt32
    /// The end of WAL.
    public var position: LSN
}

/// Slots and what belongs to them.
public enum Slot {
    /// Whether `name` is one that a server takes.
    public static func isValidName(_ name: String) -> Bool {
        (1...63).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
                default: false
                }
            }
    }

    /// Reads a slot; nil where there is none of that name. Ordinary session.
    public static func state(of name: String, on connection: Connection) throws(PostgresError) -> SlotState? {
        // The columns of later versions are read out of the row as a whole, so that one statement serves every version.
        let sql = """
            SELECT s.slot_name, s.plugin, s.slot_type, s.database, s.active, s.active_pid, s.restart_lsn, s.confirmed_flush_lsn, s.temporary,
              to_jsonb(s)->>'wal_status' AS wal_status, coalesce(to_jsonb(s)->>'two_phase', 'false') AS two_phase,
              to_jsonb(s)->>'invalidation_reason' AS invalidation_reason, coalesce(to_jsonb(s)->>'conflicting', 'false') AS conflicting,
              CASE WHEN s.restart_lsn IS NULL THEN NULL
                WHEN pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_last_wal_replay_lsn(), s.restart_lsn)
                ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn) END AS retained
            FROM pg_replication_slots s WHERE s.slot_name = $1
            """
        guard let row = try connection.query(sql, [name], what: "read the state of slot \(name)").first else { return nil }
        var invalidation = row["invalidation_reason"]
        if invalidation == nil, row["wal_status"] == "lost" { invalidation = "wal_removed" }
        if invalidation == nil, row["conflicting"] == "true" { invalidation = "conflict" }
        return SlotState(
            name: row["slot_name"] ?? name, plugin: row["plugin"], type: row["slot_type"] ?? "", database: row["database"],
            isActive: row.bool("active"),
            activePID: row.integer("active_pid"), restartLSN: row["restart_lsn"].flatMap { LSN($0) },
            confirmedFlushLSN: row["confirmed_flush_lsn"].flatMap { LSN($0) }, walStatus: row["wal_status"], retainedBytes: row.integer("retained"),
            isTemporary: row.bool("temporary"), isTwoPhase: row["two_phase"] == "true", invalidation: invalidation)
    }

    /// The server's identity. Replication session.
    public static func identity(on replication: Connection) throws(PostgresError) -> SystemIdentity {
        let row = try replication.query("IDENTIFY_SYSTEM", what: "identify the server").first
        guard let identifier = row?["systemid"], let timeline: UInt32 = row?.integer("timeline"), let position = row?["xlogpos"].flatMap({ LSN($0) })
        else {
            throw PostgresError(.protocolViolation, doing: .reading, what: "identify the server", message: "IDENTIFY_SYSTEM gave no identity")
        }
        return SystemIdentity(systemIdentifier: identifier, timeline: timeline, position: position)
    }

    /// Drops a slot; one that is in use fails with 55006, a missing one with 42704. Ordinary session.
    public static func drop(_ name: String, on connection: Connection) throws(PostgresError) {
        try connection.query("SELECT pg_drop_replication_slot($1)", [name], doing: .slotUse, what: "drop slot \(name)")
    }

    /// Moves a slot that nobody uses forward to `position`; gives where it is then. Ordinary session.
    @discardableResult
    public static func advance(_ name: String, to position: LSN, on connection: Connection) throws(PostgresError) -> LSN {
        let sql = "SELECT end_lsn FROM pg_replication_slot_advance($1, $2::pg_lsn)"
        let row = try connection.query(sql, [name, position.description], doing: .slotUse, what: "advance slot \(name)").first
        return row?[0].flatMap { LSN($0) } ?? position
    }
}
