import Files

/// The record as text: a title, lines of `key value` in a fixed order, and a checksum over all before it.
///
/// Strict on purpose: what was not written by `encode` is damage, never something to make the best of.
enum CheckpointText {
    /// Why text is not a record.
    enum Damage: Error, Equatable {
        case damaged(String)
        case newer(version: Int)
    }

    static let title = "cdc-host checkpoint"
    static let version = 1

    static func encode(_ record: CheckpointRecord) -> [UInt8] {
        let phase =
            switch record.phase {
            case .slotIntended: "slot_intended"
            case .snapshotting(let consistentPoint, let attempt): "snapshotting \(lsn(consistentPoint)) \(attempt)"
            case .streaming: "streaming"
            case .snapshotDone: "snapshot_done"
            }
        let lines = [
            title,
            "version \(version)",
            "stream \(escape(record.streamName))",
            "system_identifier \(record.systemIdentifier)",
            "timeline \(record.timeline)",
            "slot \(escape(record.slotName))",
            "slot_created_by_us \(record.slotCreatedByUs)",
            "publication \(escape(record.publicationName))",
            "publication_created_by_us \(record.publicationCreatedByUs)",
            "phase \(phase)",
            "position \(lsn(record.position))",
            "slot_start \(lsn(record.slotStart))",
            "last_commit_end \(lsn(record.lastCommitEnd))",
            "written_at_us \(record.writtenAtMicroseconds)",
        ]
        let body = Array((lines.joined(separator: "\n") + "\n").utf8)
        return body + Array("sha256 \(SHA256.hex(body))\n".utf8)
    }

    static func decode(_ bytes: [UInt8]) throws(Damage) -> CheckpointRecord {
        let trailer = 7 + 64 + 1
        if bytes.isEmpty { throw .damaged("it is empty") }
        guard bytes.count > trailer else { throw .damaged("it is cut") }
        let body = Array(bytes[..<(bytes.count - trailer)])
        guard Array(bytes[(bytes.count - trailer)...]) == Array("sha256 \(SHA256.hex(body))\n".utf8) else {
            throw .damaged("its checksum does not fit its content")
        }
        guard let text = String(validating: body, as: UTF8.self) else { throw .damaged("it is not UTF-8") }
        var lines = Lines(text)
        guard lines.next() == title else { throw .damaged("its first line is not \"\(title)\"") }
        let found = try lines.integer("version", as: Int.self)
        guard found == version else {
            if found > version { throw .newer(version: found) }
            throw .damaged("its version is \(found)")
        }
        let record = CheckpointRecord(
            streamName: try lines.text("stream"),
            systemIdentifier: try lines.integer("system_identifier", as: UInt64.self),
            timeline: try lines.integer("timeline", as: Int.self),
            slotName: try lines.text("slot"),
            publicationName: "",
            slotCreatedByUs: try lines.boolean("slot_created_by_us"),
            publicationCreatedByUs: false, phase: .slotIntended, position: 0, slotStart: 0, lastCommitEnd: 0, writtenAtMicroseconds: 0)
        return try rest(of: record, &lines)
    }

    /// The second half, in the order of the lines.
    private static func rest(of first: CheckpointRecord, _ lines: inout Lines) throws(Damage) -> CheckpointRecord {
        var record = first
        record.publicationName = try lines.text("publication")
        record.publicationCreatedByUs = try lines.boolean("publication_created_by_us")
        record.phase = try lines.phase()
        record.position = try lines.position("position")
        record.slotStart = try lines.position("slot_start")
        record.lastCommitEnd = try lines.position("last_commit_end")
        record.writtenAtMicroseconds = try lines.integer("written_at_us", as: Int64.self)
        guard lines.next() == nil else { throw .damaged("it has lines that do not belong to it") }
        if let contradiction = record.contradiction { throw .damaged(contradiction) }
        return record
    }

    static func lsn(_ value: UInt64) -> String {
        String(value >> 32, radix: 16, uppercase: true) + "/" + String(value & 0xffff_ffff, radix: 16, uppercase: true)
    }

    static func lsn(_ text: Substring) -> UInt64? {
        let halves = text.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2, let high = UInt32(halves[0], radix: 16), let low = UInt32(halves[1], radix: 16) else { return nil }
        let value = UInt64(high) << 32 | UInt64(low)
        return lsn(value) == text ? value : nil
    }
}
