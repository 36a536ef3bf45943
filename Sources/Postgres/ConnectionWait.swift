internal import Glibc
internal import LibPQ

extension Connection {
    /// Sends what is buffered and waits until the socket has something; false when the deadline passed.
    func wait(until deadline: MonotonicTime?, heedingInterrupt: Bool, _ what: String, doing: PostgresActivity) throws(PostgresError) -> Bool {
        while true {
            if heedingInterrupt && interrupt.isInterrupted { throw interrupted(what, doing: doing) }
            let unsent = PQflush(handle)
            if unsent < 0 { throw broken(what, doing: doing) }
            guard socket >= 0 else { throw broken(what, doing: doing) }
            var watched = [
                pollfd(fd: socket, events: Int16(POLLIN) | (unsent > 0 ? Int16(POLLOUT) : 0), revents: 0),
                pollfd(fd: heedingInterrupt ? interrupt.descriptor : -1, events: Int16(POLLIN), revents: 0),
            ]
            let ready = poll(&watched, 2, MonotonicTime.pollTimeout(until: deadline))
            if watched[1].revents != 0 { interrupt.acknowledgeWake() }
            if watched[0].revents & ~Int16(POLLOUT) != 0 { return true }
            if let deadline, ready == 0, MonotonicTime.now >= deadline { return false }
        }
    }

    /// Watches an idle session for at most `timeout`: true when the server or the network has ended it, or the interrupt was raised.
    public func isEnded(within timeout: Duration) -> Bool {
        do throws(PostgresError) {
            guard try wait(until: .now + timeout, heedingInterrupt: true, "watch the session", doing: .reading) else { return false }
            return PQconsumeInput(handle) != 1
        } catch { return true }
    }

    /// The next result of the command under way, or nil when it is over. Throws `.timeout` when the deadline passes.
    func nextResult(
        until deadline: MonotonicTime?, heedingInterrupt: Bool = true, _ what: String, doing: PostgresActivity
    ) throws(PostgresError) -> QueryResult? {
        while PQisBusy(handle) != 0 {
            guard try wait(until: deadline, heedingInterrupt: heedingInterrupt, what, doing: doing) else {
                throw PostgresError(.timeout, doing: doing, what: what, message: "the server did not answer in time")
            }
            guard PQconsumeInput(handle) == 1 else {
                // A FATAL error of the server may have come with the end of the link: it says more than "connection reset".
                if PQisBusy(handle) == 0, let result = PQgetResult(handle) { return QueryResult(result) }
                throw broken(what, doing: doing)
            }
        }
        return PQgetResult(handle).map { QueryResult($0) }
    }

    func interrupted(_ what: String, doing: PostgresActivity) -> PostgresError {
        PostgresError(.interrupted, doing: doing, what: what, message: "stopped on request")
    }

    /// The error that a failed result stands for.
    func failure(_ result: borrowing QueryResult, _ what: String, doing: PostgresActivity) -> PostgresError {
        guard let sqlstate = result.sqlstate else { return broken(what, doing: doing) }
        let message = ErrorText.server(result.handle, sqlstate: sqlstate, secrets: secrets)
        return PostgresError(.server, sqlstate: sqlstate, doing: doing, what: what, message: message)
    }
}

/// One PGresult, cleared at the end of its life.
struct QueryResult: ~Copyable {
    let handle: OpaquePointer

    init(_ handle: OpaquePointer) { self.handle = handle }
    deinit { PQclear(handle) }

    var status: ExecStatusType { PQresultStatus(handle) }

    /// 'C': the SQLSTATE field.
    var sqlstate: String? { PQresultErrorField(handle, Int32(UInt8(ascii: "C"))).map { String(cString: $0) } }

    var isFailure: Bool { status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE || status == PGRES_PIPELINE_ABORTED }
}
