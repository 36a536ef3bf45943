import Glibc
import PluginABI
import StageHarness
import Testing

/// Messages as a server sent them: Fixtures/record.py says how and from which statements.
struct Recording {
    struct Message {
        let walStart: UInt64
        let bytes: [UInt8]

        var type: Character { Character(UnicodeScalar(bytes[0])) }
    }

    static let names = [
        "insert_update_delete", "replica_identities", "unchanged_toast", "types", "types_binary", "truncate", "messages_and_origin",
        "names_and_partitions", "shape_changes", "many_rows",
    ]

    let messages: [Message]

    /// - Parameter name: of the file in Fixtures, without suffix.
    init(_ name: String) throws {
        let file = #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/Fixtures/\(name).bin"
        let bytes = try Self.read(file)
        func number(_ at: Int, _ count: Int) -> UInt64 { bytes[at..<at + count].reduce(0) { $0 << 8 | UInt64($1) } }
        var messages: [Message] = []
        var at = 0
        while at < bytes.count {
            let length = Int(number(at, 4))
            messages.append(Message(walStart: number(at + 4, 8), bytes: Array(bytes[at + 12..<at + 12 + length])))
            at += 12 + length
        }
        self.messages = messages
    }

    private static func read(_ path: String) throws -> [UInt8] {
        let file = try #require(fopen(path, "rb"), "\(path) is missing")
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        return bytes
    }

    /// All events; every message must be taken.
    func decoded() throws -> [DecodedEvent] {
        let decoder = try Decoder()
        return try messages.flatMap { message in
            let decoded = try decoder.decode(message)
            #expect(decoded.status == CDCP_OK, "\(message.type): \(decoded.error)")
            return decoded.events
        }
    }
}

/// An instance of the plugin and what was announced to it.
final class Decoder {
    let stage: StageInstance
    var relations = DecoderRelations()

    init(_ options: Option = [:]) throws { stage = try PluginFile.named("PgOutput").stage(options: options) }

    func decode(_ message: Recording.Message) throws -> Decoded {
        try stage.decode(message.bytes, walStart: message.walStart, relations: &relations)
    }

    func decode(_ bytes: [UInt8]) throws -> Decoded { try stage.decode(bytes, walStart: 0x1_0000_00AB, relations: &relations) }
}

/// Messages built by hand.
enum Wire {
    static func u16(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 255), UInt8(value & 255)] }
    static func u32(_ value: Int) -> [UInt8] { u16(value >> 16 & 0xFFFF) + u16(value & 0xFFFF) }
    static func u64(_ value: Int) -> [UInt8] { u32(value >> 32 & 0xFFFF_FFFF) + u32(value & 0xFFFF_FFFF) }
    static func text(_ value: String) -> [UInt8] { Array(value.utf8) + [0] }
    static func message(_ type: Character, _ parts: [UInt8]...) -> [UInt8] { [type.asciiValue ?? 0] + parts.flatMap { $0 } }

    static func begin(_ lsn: Int = 100, microseconds: Int = 0, xid: Int = 7) -> [UInt8] { message("B", u64(lsn), u64(microseconds), u32(xid)) }
    static func commit(_ lsn: Int = 100, end: Int = 148, flags: UInt8 = 0) -> [UInt8] { message("C", [flags], u64(lsn), u64(end), u64(0)) }
    /// Table `public.t`; names that end in `*` are part of the replica identity.
    static func relation(_ oid: Int = 9, schema: String = "public", identity: Character = "d", columns: [String] = ["id*", "v"]) -> [UInt8] {
        message(
            "R", u32(oid), text(schema), text("t"), [identity.asciiValue ?? 0], u16(columns.count),
            columns.flatMap { [$0.hasSuffix("*") ? 1 : 0] + text($0.hasSuffix("*") ? String($0.dropLast()) : $0) + u32(25) + u32(0xFFFF_FFFF) })
    }
    /// nil: NULL; `~`: unchanged.
    static func tuple(_ values: [String?]) -> [UInt8] {
        u16(values.count) + values.flatMap { $0.map { $0 == "~" ? [0x75] : [0x74] + u32($0.utf8.count) + Array($0.utf8) } ?? [0x6E] }
    }
    static func insert(_ oid: Int = 9, _ values: [String?] = ["1", "a"]) -> [UInt8] { message("I", u32(oid), [0x4E], tuple(values)) }
}
