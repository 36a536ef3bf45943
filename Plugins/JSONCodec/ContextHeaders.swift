import PluginABI

/// The headers that Debezium puts on every record: which connector, task and run made it.
struct ContextHeaders {
    let headers: UnsafeMutablePointer<cdcp_header>
    let count = 4
    private let texts: [Fragment]

    init(logicalName: String) {
        let run = (0..<4).map { _ in UInt32.random(in: 0 ... .max) }
        let hex = run.map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
        // A random UUID, as text.
        let parts = [
            hex.prefix(8), hex.dropFirst(8).prefix(4), "4" + hex.dropFirst(13).prefix(3), "a" + hex.dropFirst(17).prefix(3), hex.dropFirst(20),
        ]
        let pairs = [
            ("__debezium.context.connectorLogicalName", logicalName), ("__debezium.context.taskId", "0"),
            ("__debezium.context.connectorName", "postgresql"), ("__debezium.context.runId", parts.map(String.init).joined(separator: "-")),
        ]
        texts = pairs.flatMap { [Fragment(Array($0.0.utf8)), Fragment(Array($0.1.utf8))] }
        headers = .allocate(capacity: count)
        for index in 0..<count {
            let (key, value) = (texts[index * 2], texts[index * 2 + 1])
            headers.advanced(by: index).initialize(
                to: cdcp_header(key: key.start, value: value.start, key_len: UInt32(key.count), value_len: UInt32(value.count)))
        }
    }

    func free() {
        for text in texts { text.free() }
        headers.deallocate()
    }
}
