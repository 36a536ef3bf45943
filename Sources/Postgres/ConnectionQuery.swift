internal import Glibc
internal import LibPQ

extension Connection {
    /// Runs one statement, or several without parameters, and gives the last rows. Parameters are text; a replication session takes none.
    ///
    /// Throws `PostgresError` with the SQLSTATE; `doing` and `what` go into it. The session stays usable after an error of kind `.server`.
    @discardableResult
    public func query(
        _ sql: String, _ parameters: [String?] = [], doing: PostgresActivity = .reading, what: String = "query the server"
    ) throws(PostgresError) -> Rows {
        try send(sql, parameters, doing: doing, what: what)
        return try collect(doing: doing, what: what, timeout: options.queryTimeout)
    }

    /// Runs statements whose rows do not matter. The same rules as `query`.
    public func execute(_ sql: String, doing: PostgresActivity = .reading, what: String = "run a statement") throws(PostgresError) {
        _ = try query(sql, doing: doing, what: what)
    }

    /// Runs `body` between BEGIN and COMMIT; any error rolls back.
    public func transaction<R>(
        _ begin: String = "BEGIN", doing: PostgresActivity = .reading, _ body: () throws(PostgresError) -> R
    ) throws(PostgresError) -> R {
        try execute(begin, doing: doing, what: "begin a transaction")
        do {
            let result = try body()
            try execute("COMMIT", doing: doing, what: "commit a transaction")
            return result
        } catch {
            if error.kind == .server { try? execute("ROLLBACK", doing: doing, what: "roll back a transaction") }
            throw error
        }
    }

    /// A setting of this session, as SHOW prints it.
    public func setting(_ name: String) throws(PostgresError) -> String {
        let rows = try query("SHOW \(Identifier.quoted(name))", what: "read the setting \(name)")
        return rows.first?[0] ?? ""
    }

    /// The server's `wal_sender_timeout` for this session; nil where it is switched off.
    public func walSenderTimeout() throws(PostgresError) -> Duration? {
        Connection.interval(try query("SHOW wal_sender_timeout", what: "read wal_sender_timeout").first?[0] ?? "")
    }

    /// Reads a time setting as SHOW prints it (`2s`, `1500ms`, `1min`, `0`); nil for 0 and for what is none.
    static func interval(_ text: String) -> Duration? {
        let digits = text.prefix(while: \.isNumber)
        guard let number = Int64(digits), number > 0 else { return nil }
        switch text.dropFirst(digits.count) {
        case "us": return .microseconds(number)
        case "", "ms": return .milliseconds(number)
        case "s": return .seconds(number)
        case "min": return .seconds(number.multipliedReportingOverflow(by: 60).partialValue)
        case "h": return .seconds(number.multipliedReportingOverflow(by: 3_600).partialValue)
        case "d": return .seconds(number.multipliedReportingOverflow(by: 86_400).partialValue)
        default: return nil
        }
    }

    /// Asks the server to cancel the command under way. Blocks for one short connection.
    func cancel() {
        guard let cancel = PQgetCancel(handle) else { return }
        defer { PQfreeCancel(cancel) }
        var buffer = [CChar](repeating: 0, count: 256)
        _ = PQcancel(cancel, &buffer, Int32(buffer.count))
    }

    func send(_ sql: String, _ parameters: [String?] = [], doing: PostgresActivity, what: String) throws(PostgresError) {
        if interrupt.isInterrupted { throw interrupted(what, doing: doing) }
        let sent: Int32
        if parameters.isEmpty {
            sent = PQsendQuery(handle, sql)
        } else {
            let values = parameters.map { $0.map { strdup($0) } ?? nil }
            defer { values.forEach { free($0) } }
            sent = PQsendQueryParams(handle, sql, Int32(values.count), nil, values.map { UnsafePointer($0) }, nil, nil, 0)
        }
        guard sent == 1 else { throw broken(what, doing: doing) }
    }

    /// Sends a command although the interrupt is raised: for cleaning up behind oneself.
    func sendRegardless(_ sql: String, what: String) throws(PostgresError) {
        guard PQsendQuery(handle, sql) == 1 else { throw broken(what, doing: .slotCreation) }
    }

    func collect(doing: PostgresActivity, what: String, timeout: Duration?) throws(PostgresError) -> Rows {
        let deadline = timeout.map { MonotonicTime.now + $0 }
        var rows = Rows()
        var isAnswered = false
        var failed: PostgresError?
        while let result = try nextResult(until: deadline, what, doing: doing) {
            isAnswered = true
            switch result.status {
            case PGRES_TUPLES_OK: rows = Rows(result.handle)
            case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: break
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                throw PostgresError(.protocolViolation, doing: doing, what: what, message: "the server began to copy where an answer was due")
            default: failed = failed ?? failure(result, what, doing: doing)
            }
        }
        if let failed { throw failed }
        guard isAnswered else { throw broken(what, doing: doing) }
        return rows
    }
}
