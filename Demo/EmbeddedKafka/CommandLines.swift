import Glibc

/// Standard input cut into lines. Bounded: a line longer than `lengthMax` ends the input.
struct CommandLines {
    static let lengthMax = 4096
    private var pending: [UInt8] = []
    private(set) var ended = false

    /// Reads what is there (call when poll says so) and hands out the complete lines.
    mutating func read() -> [String] {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(STDIN_FILENO, &buffer, buffer.count)
        if count < 0 && (errno == EINTR || errno == EAGAIN) { return [] }
        guard count > 0 else {
            ended = true
            return []
        }
        var lines: [String] = []
        for byte in buffer.prefix(count) {
            if byte == UInt8(ascii: "\n") {
                lines.append(String(decoding: pending, as: UTF8.self))
                pending.removeAll(keepingCapacity: true)
            } else {
                pending.append(byte)
            }
        }
        if pending.count > Self.lengthMax { ended = true }
        return lines
    }
}
