internal import Glibc
internal import LibPQ

/// The asynchronous connect: libpq's own state machine, with a deadline for each host and an interrupt.
struct Login {
    private let parameters: ConnectionParameters
    private let options: ConnectionOptions
    private let interrupt: Interrupt

    init(_ parameters: ConnectionParameters, _ options: ConnectionOptions, _ interrupt: Interrupt) {
        self.parameters = parameters
        self.options = options
        self.interrupt = interrupt
    }

    /// A connected handle that the caller must finish.
    func run() throws(PostgresError) -> OpaquePointer {
        var attempt = parameters
        while true {
            switch try connect(attempt) {
            case .connected(let handle): return handle
            case .tooSlow(let position):
                if let rest = attempt.droppingHosts(position + 1) {
                    attempt = rest
                    continue
                }
                throw PostgresError(
                    .timeout, doing: .connecting, what: "connect to PostgreSQL",
                    message: "the server did not answer within \(parameters.connectTimeout(options).millisecondsClamped) ms")
            }
        }
    }

    private enum Outcome {
        case connected(OpaquePointer)
        case tooSlow(hostPosition: Int)
    }

    private func connect(_ attempt: ConnectionParameters) throws(PostgresError) -> Outcome {
        guard let handle = attempt.start() else {
            throw PostgresError(.connection, doing: .connecting, what: "connect to PostgreSQL", message: "out of memory")
        }
        var keep = false
        defer { if !keep { PQfinish(handle) } }
        // Verbose texts carry the SQLSTATE of a refused login; libpq keeps it nowhere else.
        PQsetErrorVerbosity(handle, PQERRORS_VERBOSE)
        PQsetNoticeReceiver(handle, { _, _ in }, nil)
        guard PQstatus(handle) != CONNECTION_BAD else { throw refused(handle) }

        let timeout = parameters.connectTimeout(options)
        var deadline = MonotonicTime.now + timeout
        var current = place(handle)
        var hosts = 0
        var wanted = Int16(POLLOUT)
        while true {
            guard try wait(PQsocket(handle), for: wanted, until: deadline) else { return .tooSlow(hostPosition: hosts) }
            let state = PQconnectPoll(handle)
            if state == PGRES_POLLING_READING {
                wanted = Int16(POLLIN)
            } else if state == PGRES_POLLING_WRITING {
                wanted = Int16(POLLOUT)
            } else if state == PGRES_POLLING_OK {
                PQsetErrorVerbosity(handle, PQERRORS_DEFAULT)
                keep = true
                return .connected(handle)
            } else {
                throw refused(handle)
            }
            let now = place(handle)
            if now != current {
                current = now
                hosts += 1
                deadline = MonotonicTime.now + timeout
            }
        }
    }

    /// The host that libpq is at.
    private func place(_ handle: OpaquePointer) -> String {
        let host = PQhost(handle).map { String(cString: $0) } ?? ""
        let port = PQport(handle).map { String(cString: $0) } ?? ""
        return host + ":" + port
    }

    /// False when the deadline passed.
    private func wait(_ socket: Int32, for events: Int16, until deadline: MonotonicTime) throws(PostgresError) -> Bool {
        while true {
            if interrupt.isInterrupted {
                throw PostgresError(.interrupted, doing: .connecting, what: "connect to PostgreSQL", message: "stopped while connecting")
            }
            var watched = [pollfd(fd: socket, events: events, revents: 0), pollfd(fd: interrupt.descriptor, events: Int16(POLLIN), revents: 0)]
            let ready = poll(&watched, 2, MonotonicTime.pollTimeout(until: deadline))
            if watched[1].revents != 0 { interrupt.acknowledgeWake() }
            if watched[0].revents != 0 { return true }
            if ready == 0 && MonotonicTime.now >= deadline { return false }
        }
    }

    private func refused(_ handle: OpaquePointer) -> PostgresError {
        let text = PQerrorMessage(handle).map { String(cString: $0) } ?? ""
        // libpq itself ends an attempt for which it has no password; the server's word for that is 28P01.
        let sqlstate = ErrorText.sqlstate(in: text) ?? (PQconnectionNeedsPassword(handle) != 0 ? "28P01" : nil)
        return PostgresError(
            sqlstate == nil ? .connection : .server, sqlstate: sqlstate, doing: .connecting, what: "connect to PostgreSQL",
            message: ErrorText.connection(text, secrets: parameters.secrets))
    }
}
