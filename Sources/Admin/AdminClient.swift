import Glibc

/// A GET to a host's admin endpoint, over TCP or a Unix socket.
public enum AdminClient {
    /// Larger answers are refused.
    static let answerBytesMax = 64 << 20

    /// Asks for `path` and waits for the whole answer. Blocks.
    /// - Parameter timeout: for everything together.
    /// - Throws: `AdminError`: `system` with the errno when nothing listens there, `timeout`, `answer`.
    public static func get(_ address: AdminAddress, path: String, timeout: Duration = .seconds(5)) throws(AdminError) -> (status: Int, body: String) {
        guard path.hasPrefix("/"), path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw AdminError(.address, at: address.description, "a path starts with / and has no blanks")
        }
        let connection = try ClientConnection(address, deadline: ContinuousClock.now + timeout)
        defer { connection.end() }
        let host: String
        switch address {
        case .tcp: host = address.description
        case .unix: host = "localhost"
        }
        // Version 1.0: no chunks, and the server closes when it is done.
        try connection.send(Array("GET \(path) HTTP/1.0\r\nHost: \(host)\r\nAccept: */*\r\n\r\n".utf8))
        let answer = try connection.receiveAll(limit: answerBytesMax)
        guard let parsed = HTTPAnswer(answer) else {
            throw AdminError(.answer, at: address.description, "the answer is no HTTP or was cut short; is it a cdc-host that listens there?")
        }
        return (parsed.status, parsed.body)
    }
}

/// Status and body of an answer of which every byte has come.
struct HTTPAnswer: Equatable {
    var status: Int
    var body: String

    /// nil when it is no HTTP, or shorter than it says.
    init?(_ bytes: [UInt8]) {
        guard let end = Self.endOfHeaders(bytes) else { return nil }
        let head = String(decoding: bytes[..<end], as: UTF8.self)
        var lines = head.split(whereSeparator: { $0.isNewline })[...]
        guard let first = lines.popFirst(), first.hasPrefix("HTTP/1."),
            let word = first.split(separator: " ").dropFirst().first, let status = Int(word), (100...599).contains(status)
        else { return nil }
        let body = bytes[end...]
        for line in lines {
            guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == "content-length" else { continue }
            guard let length = Int(line[line.index(after: colon)...].filter { $0 != " " }), length <= body.count else { return nil }
        }
        self.status = status
        self.body = String(decoding: body, as: UTF8.self)
    }

    /// The index behind the empty line.
    private static func endOfHeaders(_ bytes: [UInt8]) -> Int? {
        let mark: [UInt8] = [13, 10, 13, 10]
        guard bytes.count >= mark.count else { return nil }
        for start in 0...(bytes.count - mark.count) where bytes[start] == 13 {
            if bytes[start..<(start + mark.count)].elementsEqual(mark) { return start + mark.count }
        }
        return nil
    }
}
