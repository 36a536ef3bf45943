/// Records as lines whose columns stand below each other.
struct RecordTable {
    /// The column that 30-masking.yaml covers.
    static let maskedColumn = "email"
    private static let partitionWidth = 4
    private static let operationWidth = 9
    /// Below this many columns the first part of a topic's name, which is the same for all, gives way to the values.
    private static let roomyColumns = 110
    private let prefix: String
    private let nameWidth: Int

    /// - Parameter place: whose topics will be shown.
    init(of place: Place) {
        prefix = "\(place.stream).\(place.schema)."
        nameWidth = Place.tables.map(\.name.count).max() ?? 12
    }

    func header(on screen: Screen) {
        let words =
            topic("topic", screen) + "  " + "part".padded(to: Self.partitionWidth) + "  " + "key".padded(to: keyWidth(screen)) + "  "
            + "op".padded(to: Self.operationWidth) + "  what the consumer sees"
        screen.line([Piece(words, .bold)], cut: true)
    }

    private func isRoomy(_ screen: Screen) -> Bool { screen.width >= Self.roomyColumns }

    private func topic(_ name: String, _ screen: Screen) -> String {
        if isRoomy(screen) { return name.padded(to: prefix.count + nameWidth) }
        return (name.hasPrefix(prefix) ? "…" + name.dropFirst(prefix.count) : name).padded(to: 1 + nameWidth)
    }

    func show(_ record: ConsumedRecord, on screen: Screen) {
        var pieces = [
            Piece(topic(record.topic, screen) + "  ", .dim),
            Piece(String(record.partition).padded(to: Self.partitionWidth) + "  ", .dim),
            Piece(key(record.key?.fields ?? [], screen).padded(to: keyWidth(screen)) + "  "),
            Piece(record.operation.word.padded(to: Self.operationWidth) + "  ", Self.style(record.operation)),
        ]
        pieces += content(record)
        screen.line(pieces, cut: true)
    }

    private func key(_ fields: [(key: String, value: JSON)], _ screen: Screen) -> String {
        if fields.isEmpty { return "-" }
        if fields.count > 1 && !isRoomy(screen) { return fields.map(\.value.shown).joined(separator: " / ") }
        return fields.map { "\($0.key)=\($0.value.shown)" }.joined(separator: " ")
    }

    private func keyWidth(_ screen: Screen) -> Int { isRoomy(screen) ? 26 : 16 }

    private func content(_ record: ConsumedRecord) -> [Piece] {
        switch record.operation {
        case .tombstone: return [Piece("(no value: a compacted topic forgets the key)", .dim)]
        case .truncate: return [Piece("(every row is gone)", .dim)]
        case .message: return []
        case .delete:
            // With REPLICA IDENTITY DEFAULT the server sends no more of the old row than its key.
            let known = columns(record.before, without: record.key, leaveNull: true)
            return known.isEmpty ? [Piece("(the row is gone)", .dim)] : [Piece("was ", .dim)] + known
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
