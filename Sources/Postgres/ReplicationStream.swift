internal import Glibc
internal import LibPQ
internal import Synchronization

/// Rows as they are committed: the receiving end of START_REPLICATION.
///
/// One thread runs the stream. It reads whatever libpq holds, tells the receiver when the socket is dry, and sleeps; it sends standby status on
/// time whether rows flow, the receiver has paused, or nothing happens. Other threads may call `requestStatus()`, `stop()` and the interrupt's
/// `wake()`.
public final class ReplicationStream: Sendable {
    /// How a stream is run.
    public struct Options: Sendable {
        /// The slot to read.
        public var slot: String
        /// Where to begin; the server begins at its own confirmed position where that is later.
        public var start: LSN
        /// Options of the output plugin as the decoder wants them, in order, without `publication_names`.
        public var pluginOptions: [(name: String, value: String)]
        /// The publications to read.
        public var publications: [String]
        /// At the latest this often a status goes out.
        public var statusInterval: Duration
        /// The server's `wal_sender_timeout` for the session; nil where it is off.
        public var walSenderTimeout: Duration?
        /// How long a clean stop may wait for the server's goodbye.
        public var stopTimeout: Duration

        /// Makes options with the host's defaults.
        public init(
            slot: String, start: LSN, publications: [String], pluginOptions: [(name: String, value: String)] = [("proto_version", "1")],
            statusInterval: Duration = .seconds(10), walSenderTimeout: Duration? = .seconds(60), stopTimeout: Duration = .seconds(5)
        ) {
            self.slot = slot
            self.start = start
            self.publications = publications
            self.pluginOptions = pluginOptions
            self.statusInterval = statusInterval
            self.walSenderTimeout = walSenderTimeout
            self.stopTimeout = stopTimeout
        }

        /// The replication command.
        var command: String {
            let options = pluginOptions + (publications.isEmpty ? [] : [("publication_names", "")])
            let list = options.map { option in
                let value = option.name == "publication_names" ? Identifier.publicationNames(publications) : Identifier.literal(option.value)
                return "\(Identifier.quoted(option.name)) \(value)"
            }
            let tail = list.isEmpty ? "" : " (" + list.joined(separator: ", ") + ")"
            return "START_REPLICATION SLOT \(Identifier.quoted(slot)) LOGICAL \(start)" + tail
        }
    }

    private let interrupt: Interrupt
    private let statusRequested = Atomic<Bool>(false)
    private let stopRequested = Atomic<Bool>(false)

    /// Makes a stream that listens to `interrupt`, the same one as its connection's.
    public init(interrupt: Interrupt) { self.interrupt = interrupt }

    /// Sends a status at once. Any thread.
    public func requestStatus() {
        statusRequested.store(true, ordering: .releasing)
        interrupt.wake()
    }

    /// Ends the stream cleanly at the next chance, paused or not. Any thread.
    public func stop() {
        stopRequested.store(true, ordering: .releasing)
        interrupt.wake()
    }

    /// Starts streaming and returns after a clean stop. `started` is called once the server has agreed.
    ///
    /// Throws `PostgresError`: with the SQLSTATE where the server ended the stream, `.timeout` after silence, `.interrupted`. The connection is
    /// used up.
    @discardableResult
    public func run<R: ReplicationReceiver>(
        on connection: Connection, options: Options, receiver: R, started: () -> Void = {}
    ) throws(PostgresError) -> StreamEnd {
        try connection.send(options.command, doing: .slotUse, what: "start replication from slot \(options.slot)")
        let deadline = MonotonicTime.now + max(connection.options.silenceTimeout, .seconds(1))
        guard let result = try connection.nextResult(until: deadline, "start replication from slot \(options.slot)", doing: .slotUse) else {
            throw PostgresError(
                .protocolViolation, doing: .slotUse, what: "start replication", message: "the server ended the command without an answer")
        }
        guard result.status == PGRES_COPY_BOTH else {
            throw connection.failure(result, "start replication from slot \(options.slot)", doing: .slotUse)
        }
        connection.closeReceiveWindow()
        started()
        var loop = StreamLoop(connection: connection, options: options)
        return try loop.run(receiver: receiver, stream: self)
    }

    /// Takes a pending request for a status.
    func takeStatusRequest() -> Bool {
        statusRequested.load(ordering: .relaxed) && statusRequested.exchange(false, ordering: .acquiring)
    }

    var isStopRequested: Bool { stopRequested.load(ordering: .acquiring) }
}
