internal import Glibc
internal import LibPQ

/// One line of COPY's text format, without its newline, in the buffer that libpq gave; freed at the end of its life.
public struct CopyLine: ~Copyable {
    private let buffer: UnsafeMutablePointer<CChar>
    /// Bytes of the line, without the newline.
    public let count: Int

    init(_ buffer: UnsafeMutablePointer<CChar>, length: Int) {
        self.buffer = buffer
        count = length > 0 && buffer[length - 1] == 10 ? length - 1 : length
    }

    deinit { PQfreemem(buffer) }

    /// The line's bytes, which may be changed in place (undoing its escapes does); valid during the call only.
    public func withUnsafeMutableBytes<R>(_ body: (UnsafeMutableBufferPointer<UInt8>) -> R) -> R {
        buffer.withMemoryRebound(to: UInt8.self, capacity: count) { body(UnsafeMutableBufferPointer(start: $0, count: count)) }
    }
}

/// COPY … TO STDOUT under way on a session, which can do nothing else until the last line has been read.
public struct CopyOut: ~Copyable {
    private let connection: Connection
    private let what: String
    private var done = false

    /// Sends the command and waits for the server to begin. `what` names the table in errors.
    public init(_ sql: String, on connection: Connection, what: String) throws(PostgresError) {
        self.connection = connection
        self.what = what
        try connection.send(sql, doing: .snapshot, what: what)
        guard let result = try connection.nextResult(until: nil, what, doing: .snapshot) else {
            throw PostgresError(.protocolViolation, doing: .snapshot, what: what, message: "the server ended the command without an answer")
        }
        guard result.status == PGRES_COPY_OUT else {
            let error = connection.failure(result, what, doing: .snapshot)
            while try connection.nextResult(until: .now + .seconds(5), what, doing: .snapshot) != nil {}
            throw error
        }
    }

    /// The next line, or nil after the last. A link that is silent is ended by TCP's keepalives; the server may take its time over a scan.
    public mutating func next() throws(PostgresError) -> CopyLine? {
        if done { return nil }
        while true {
            var buffer: UnsafeMutablePointer<CChar>?
            let length = PQgetCopyData(connection.handle, &buffer, 1)
            if length > 0, let buffer { return CopyLine(buffer, length: Int(length)) }
            guard length == 0 else { break }
            _ = try connection.wait(until: nil, heedingInterrupt: true, what, doing: .snapshot)
            guard PQconsumeInput(connection.handle) == 1 else { break }
        }
        done = true
        var isComplete = false
        while let result = try connection.nextResult(until: .now + .seconds(30), what, doing: .snapshot) {
            if result.isFailure { throw connection.failure(result, what, doing: .snapshot) }
            if result.status == PGRES_COMMAND_OK { isComplete = true }
        }
        // The end of the rows counts only when the server says so: a link that broke must not look like a short table.
        guard isComplete else { throw connection.broken(what, doing: .snapshot) }
        return nil
    }
}
