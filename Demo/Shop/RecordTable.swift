/// Records as lines whose columns stand below each other.
struct RecordTable {
    /// The column that 30-masking.yaml covers.
    static let maskedColumn = "email"
    private static let partitionWidth = 4
    private static let operationWidth = 9
    private let topicWidth: Int

    init(topics: [String]) { topicWidth = topics.map(\.count).max() ?? 20 }

    func header(on screen: Screen) {
        screen.line([
            Piece("topic".padded(to: topicWidth) + "  "), Piece("part".padded(to: Self.partitionWidth) + "  "),
            Piece("key".padded(to: keyWidth(screen)) + "  "), Piece("op".padded(to: Self.operationWidth) + "  "), Piece("what the consumer sees"),
        ].map { Piece($0.text, .bold) })
    }

    func show(_ record: ConsumedRecord, on screen: Screen) {
        let key = record.key.map { key in key.fields.map { "\($0.key)=\($0.value.shown)" }.joined(separator: " ") } ?? "-"
        var pieces = [
            Piece(record.topic.padded(to: topicWidth) + "  ", .dim),
            Piece(String(record.partition).padded(to: Self.partitionWidth) + "  ", .dim),
            Piece(key.padded(to: keyWidth(screen)) + "  "),
            Piece(record.operation.word.padded(to: Self.operationWidth) + "  ", Self.style(record.operation)),
        ]
        pieces += content(record)
        screen.line(pieces)
    }

    private func keyWidth(_ screen: Screen) -> Int { screen.width >= 110 ? 26 : 16 }

    private func content(_ record: ConsumedRecord) -> [Piece] {
        switch record.operation {
        case .tombstone: return [Piece("(no value: a compacted topic forgets the key)", .dim)]
        case .truncate: return [Piece("(every row is gone)", .dim)]
        case .message: return []
        case .delete:
            guard let before = record.before, !before.fields.isEmpty else { return [Piece("(the row is gone)", .dim)] }
            return [Piece("was ", .dim)] + columns(before, without: record.key, leaveNull: true)
        case .create, .read: return columns(record.after, without: record.key)
        case .update: return changes(record)
        }
    }

    private func columns(_ row: JSON?, without key: JSON?, leaveNull: Bool = false) -> [Piece] {
        (row?.fields ?? []).flatMap { field -> [Piece] in
            if key?[field.key] != nil { return [] }
            if leaveNull, case .null = field.value { return [] }
            return [Piece("\(field.key)=", .dim), Piece("\(field.value.shown) ", field.key == Self.maskedColumn ? .masked : .plain)]
        }
    }

    /// With the old row at hand (REPLICA IDENTITY FULL) only what changed, else the row as it is now.
    private func changes(_ record: ConsumedRecord) -> [Piece] {
        guard let before = record.before, !before.fields.isEmpty, let after = record.after else { return columns(record.after, without: record.key) }
        return after.fields.flatMap { field -> [Piece] in
            let old = before[field.key]?.shown ?? "-"
            guard old != field.value.shown else { return [] }
            let style: Style = field.key == Self.maskedColumn ? .masked : .plain
            return [Piece("\(field.key)=", .dim), Piece(old, style), Piece(" → ", .dim), Piece("\(field.value.shown) ", style)]
        }
    }

    private static func style(_ operation: ConsumedRecord.Operation) -> Style {
        switch operation {
        case .create: .good
        case .update: .changed
        case .delete, .truncate: .gone
        case .tombstone, .read, .message: .dim
        }
    }
}
