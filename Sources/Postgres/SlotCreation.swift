/// Whom the creation of a slot waits for.
public struct SlotWait: Sendable, Equatable {
    /// How long the creation has been waiting.
    public var waited: Duration
    /// The process whose transaction is in the way; nil where it is not known or the transaction is prepared.
    public var pid: Int32?
    /// How long that transaction has been open; nil where the role may not see it.
    public var transactionAge: Duration?
    /// The name of a prepared transaction that is in the way.
    public var preparedTransaction: String?
}

extension Slot {
    /// Makes a logical slot for pgoutput on a replication session.
    ///
    /// The server waits for every transaction older than the slot. Meanwhile `waiting` is called, first after 3 s, then every 5 s, with what
    /// `observer`, an ordinary session of the same server, can say about the reason. An interrupt cancels the creation, and leaves neither a
    /// waiting process nor a slot behind. The exported snapshot lives until the next command on `replication`.
    public static func create(
        _ name: String, on replication: Connection, exportingSnapshot: Bool, temporary: Bool = false, observer: Connection?,
        waiting: (SlotWait) -> Void = { _ in }
    ) throws(PostgresError) -> CreatedSlot {
        let what = "create slot \(name)"
        let kind = temporary ? "TEMPORARY LOGICAL" : "LOGICAL"
        let command =
            "CREATE_REPLICATION_SLOT \(Identifier.quoted(name)) \(kind) pgoutput \(exportingSnapshot ? "EXPORT_SNAPSHOT" : "NOEXPORT_SNAPSHOT")"
        try replication.send(command, doing: .slotCreation, what: what)
        do throws(PostgresError) {
            return try answer(name, on: replication, observer: observer, waiting: waiting, what: what)
        } catch {
            if error.kind == .interrupted { abandon(name, on: replication) }
            throw error
        }
    }

    private static func answer(
        _ name: String, on replication: Connection, observer: Connection?, waiting: (SlotWait) -> Void, what: String
    ) throws(PostgresError) -> CreatedSlot {
        let start = MonotonicTime.now
        var deadline = start + .seconds(3)
        while true {
            do throws(PostgresError) {
                guard let result = try replication.nextResult(until: deadline, what, doing: .slotCreation) else {
                    throw PostgresError(
                        .protocolViolation, doing: .slotCreation, what: what, message: "the server ended the command without an answer")
                }
                guard !result.isFailure else {
                    let error = replication.failure(result, what, doing: .slotCreation)
                    while try replication.nextResult(until: .now + .seconds(5), what, doing: .slotCreation) != nil {}
                    throw error
                }
                let row = Rows(result.handle).first
                while try replication.nextResult(until: .now + .seconds(5), what, doing: .slotCreation) != nil {}
                guard let point = row?["consistent_point"].flatMap({ LSN($0) }) else {
                    throw PostgresError(.protocolViolation, doing: .slotCreation, what: what, message: "the server named no consistent point")
                }
                return CreatedSlot(name: row?["slot_name"] ?? name, consistentPoint: point, snapshot: row?["snapshot_name"])
            } catch {
                guard error.kind == .timeout, MonotonicTime.now >= deadline else { throw error }
                waiting(reason(for: replication.backendPID, waited: .now - start, observer: observer))
                deadline = .now + .seconds(5)
            }
        }
    }

    /// What is in the way, as far as the observer's role may know. A failed look says less, and stops nothing.
    private static func reason(for walsender: Int32, waited: Duration, observer: Connection?) -> SlotWait {
        var wait = SlotWait(waited: waited, pid: nil, transactionAge: nil, preparedTransaction: nil)
        let sql = """
            SELECT b.pid, extract(epoch FROM clock_timestamp() - a.xact_start)::bigint AS age, p.gid,
              extract(epoch FROM clock_timestamp() - p.prepared)::bigint AS prepared_age
            FROM unnest(pg_blocking_pids($1)) AS b(pid) LEFT JOIN pg_stat_activity a ON a.pid = b.pid
            LEFT JOIN pg_locks l ON b.pid = 0 AND l.pid = $1 AND l.locktype = 'transactionid' AND NOT l.granted
            LEFT JOIN pg_prepared_xacts p ON p.transaction = l.transactionid
            ORDER BY a.xact_start NULLS LAST LIMIT 1
            """
        guard let observer, let row = try? observer.query(sql, [String(walsender)], what: "see what the slot waits for").first else { return wait }
        let pid: Int32? = row.integer("pid")
        wait.pid = pid == 0 ? nil : pid
        wait.preparedTransaction = row["gid"]
        let age: Int64? = row.integer("age") ?? row.integer("prepared_age")
        wait.transactionAge = age.map { .seconds($0) }
        return wait
    }

    /// Cancels the creation under way; a slot that was finished in the same moment is dropped again.
    private static func abandon(_ name: String, on replication: Connection) {
        replication.cancel()
        do throws(PostgresError) {
            var made = false
            let deadline = MonotonicTime.now + .seconds(5)
            while let result = try replication.nextResult(until: deadline, heedingInterrupt: false, "cancel slot creation", doing: .slotCreation) {
                made = !result.isFailure
            }
            guard made else { return }
            try replication.sendRegardless("DROP_REPLICATION_SLOT \(Identifier.quoted(name))", what: "drop slot \(name)")
            while try replication.nextResult(until: deadline, heedingInterrupt: false, "drop slot \(name)", doing: .slotCreation) != nil {}
        } catch {
            // The link is gone; the server ends an unfinished creation, and its slot, with the session.
        }
    }
}
