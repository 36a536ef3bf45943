/// A record as a consumer of the topic sees it, in either of JSONCodec's formats.
struct ConsumedRecord {
    enum Operation: String {
        case create = "c"
        case read = "r"
        case update = "u"
        case delete = "d"
        case truncate = "t"
        case message = "m"
        case tombstone = ""

        /// The word on the screen.
        var word: String {
            switch self {
            case .create: "insert"
            case .read: "snapshot"
            case .update: "update"
            case .delete: "delete"
            case .truncate: "truncate"
            case .message: "message"
            case .tombstone: "tombstone"
            }
        }
    }

    var topic: String
    var partition: Int32
    var offset: Int64
    var key: JSON?
    var operation: Operation
    var before: JSON?
    var after: JSON?
    /// The transaction that made it; nil of a tombstone and of a snapshot's row.
    var transaction: UInt32?

    /// - Returns: nil when this is no record that JSONCodec could have written.
    init?(topic: String, partition: Int32, offset: Int64, key: [UInt8]?, value: [UInt8]?) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        if let key {
            guard let parsed = JSON(key) else { return nil }
            self.key = parsed
        }
        guard let value else {
            operation = .tombstone
            return
        }
        guard let parsed = JSON(value), case .string(let letter)? = parsed["op"], let operation = Operation(rawValue: letter) else { return nil }
        self.operation = operation
        before = parsed["before"]
        after = parsed["after"]
        guard operation != .read, case .number(let text)? = parsed["source"]?["txId"] ?? parsed["xid"] else { return }
        transaction = UInt32(text)
    }
}
