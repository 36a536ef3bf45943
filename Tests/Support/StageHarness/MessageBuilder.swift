import Glibc
public import PluginABI

/// What a decoder said about one message.
public struct Decoded: Sendable {
    public let status: cdcp_status
    /// What it said through `set_error`.
    public let error: String
    public let events: [DecodedEvent]
}

public enum DecodedEvent: Equatable, Sendable {
    case relation(oid: UInt32, schema: String, table: String, replicaIdentity: UInt8, columns: [DecodedColumn])
    case type(oid: UInt32, schema: String, name: String)
    case begin(xid: UInt32, commitLSN: UInt64, commitTime: Int64)
    case origin(name: String, lsn: UInt64)
    case row(op: UInt8, oid: UInt32, flags: UInt16, new: [Cell]?, old: [Cell]?)
    case truncate(oids: [UInt32], flags: UInt32)
    case message(prefix: String, content: [UInt8], flags: UInt32, lsn: UInt64)
    case commit(commitLSN: UInt64, endLSN: UInt64, commitTime: Int64)
}

public struct DecodedColumn: Equatable, Sendable {
    public let name: String
    public let type: UInt32
    public let typmod: Int32
    public let isIdentity: Bool

    public init(_ name: String, _ type: UInt32, typmod: Int32 = -1, isIdentity: Bool = false) {
        self.name = name
        self.type = type
        self.typmod = typmod
        self.isIdentity = isIdentity
    }
}

/// Column counts of the tables that a decoder has announced on this connection.
public struct DecoderRelations: Sendable {
    public internal(set) var columnCounts: [UInt32: Int] = [:]

    public init() {}
}

/// The other side of `cdcp_builder_ops` for one message. The message ends where readable memory ends: a byte read behind it is a fault.
final class MessageBuilder {
    let start: UnsafePointer<UInt8>
    var relations: DecoderRelations
    private let message: [UInt8]
    private let host: FakeHost
    private let mapping: UnsafeMutableRawPointer
    private let mappingSize: Int
    private var events: [DecodedEvent] = []
    private var rows: [(event: Int, new: UnsafeMutablePointer<cdcp_cell>?, old: UnsafeMutablePointer<cdcp_cell>?, count: Int)] = []
    private static var guardCell: cdcp_cell { cdcp_cell(ptr: nil, len: 0xA5A5_A5A5, kind: 0xA5, format: 0xA5, flags: 0xA5A5) }

    init(_ message: [UInt8], _ relations: DecoderRelations, _ host: FakeHost) {
        self.message = message
        self.relations = relations
        self.host = host
        let page = 4096
        let readable = max((message.count + page - 1) / page, 1) * page
        mappingSize = readable + page
        // MAP_FAILED is not imported: an address of all ones is no memory either, and the copy below would fault at once.
        mapping = mmap(nil, mappingSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        let bytes = mapping + (readable - message.count)
        message.withUnsafeBytes { if let base = $0.baseAddress { bytes.copyMemory(from: base, byteCount: $0.count) } }
        mprotect(mapping, readable, PROT_READ)
        mprotect(mapping + readable, page, PROT_NONE)
        start = UnsafePointer(bytes.assumingMemoryBound(to: UInt8.self))
    }

    deinit { munmap(mapping, mappingSize) }

    var opaque: OpaquePointer { OpaquePointer(Unmanaged.passUnretained(self).toOpaque()) }

    private static func of(_ builder: OpaquePointer?) -> MessageBuilder? {
        builder.map { Unmanaged<MessageBuilder>.fromOpaque(UnsafeRawPointer($0)).takeUnretainedValue() }
    }

    /// Is [cell.ptr, cell.ptr + cell.len) inside the message?
    static func lies(_ cell: cdcp_cell, inside start: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        guard let pointer = cell.ptr else { return cell.len == 0 }
        return pointer >= start && Int(cell.len) <= count && pointer <= start + (count - Int(cell.len))
    }

    /// Reads the cells that were filled meanwhile.
    func finish() -> [DecodedEvent] {
        for row in rows {
            guard case .row(let op, let oid, let flags, _, _) = events[row.event] else { continue }
            events[row.event] = .row(op: op, oid: oid, flags: flags, new: literals(row.new, row.count), old: literals(row.old, row.count))
            row.new?.deallocate()
            row.old?.deallocate()
        }
        rows = []
        return events
    }

    private func literals(_ cells: UnsafeMutablePointer<cdcp_cell>?, _ count: Int) -> [Cell]? {
        guard let cells else { return nil }
        if cells[count].kind != 0xA5 || cells[count].len != 0xA5A5_A5A5 { host.violation("a cell behind the last column was written") }
        return (0..<count).map { index in
            let cell = cells[index]
            switch Int32(cell.kind) {
            case CDCP_CELL_ABSENT: return .absent
            case CDCP_CELL_NULL: return .null
            case CDCP_CELL_UNCHANGED: return .unchanged
            case CDCP_CELL_VALUE:
                guard Self.lies(cell, inside: start, message.count) else {
                    host.violation("cell \(index) does not lie inside the message")
                    return .bytes([])
                }
                if cell.format > UInt8(CDCP_FMT_BINARY) { host.violation("cell \(index) has format \(cell.format)") }
                let bytes = Array(UnsafeRawBufferPointer(start: cell.ptr, count: Int(cell.len)))
                if cell.format == UInt8(CDCP_FMT_BINARY) { return .binary(bytes) }
                return String(validating: bytes, as: UTF8.self).map { .text($0) } ?? .bytes(bytes)
            default:
                host.violation("cell \(index) has kind \(cell.kind)")
                return .kind(cell.kind)
            }
        }
    }

    private func cells(_ count: Int) -> UnsafeMutablePointer<cdcp_cell> {
        let array = UnsafeMutablePointer<cdcp_cell>.allocate(capacity: count + 1)
        array.initialize(repeating: cdcp_cell(), count: count)
        array.advanced(by: count).initialize(to: Self.guardCell)
        return array
    }

    // SAFETY: written once, by the initialiser, and never freed.
    nonisolated(unsafe) static let operations: UnsafePointer<cdcp_builder_ops> = {
        var ops = cdcp_builder_ops()
        ops.struct_size = UInt32(MemoryLayout<cdcp_builder_ops>.size)
        ops.column_size = UInt32(MemoryLayout<cdcp_column>.size)
        ops.relation = { builder, oid, schema, table, identity, columns, count, size in
            guard let me = of(builder) else { return CDCP_E_FATAL }
            guard size >= UInt32(MemoryLayout<cdcp_column>.size), count == 0 || columns != nil else { return CDCP_E_UNSUPPORTED }
            let list = (0..<Int(count)).compactMap { index in
                columns.map { (UnsafeRawPointer($0) + index * Int(size)).loadUnaligned(as: cdcp_column.self) }
            }
            me.relations.columnCounts[oid] = Int(count)
            me.events.append(
                .relation(
                    oid: oid, schema: string(schema), table: string(table), replicaIdentity: identity,
                    columns: list.map {
                        DecodedColumn(string($0.name), $0.type_oid, typmod: $0.typmod, isIdentity: $0.flags & UInt32(CDCP_COL_IDENTITY) != 0)
                    }))
            return CDCP_OK
        }
        ops.type = { builder, oid, schema, name in
            of(builder)?.events.append(.type(oid: oid, schema: string(schema), name: string(name)))
            return CDCP_OK
        }
        ops.begin = { builder, xid, lsn, time in
            of(builder)?.events.append(.begin(xid: xid, commitLSN: lsn, commitTime: time))
            return CDCP_OK
        }
        ops.origin = { builder, name, lsn in
            of(builder)?.events.append(.origin(name: string(name), lsn: lsn))
            return CDCP_OK
        }
        ops.row = { builder, op, oid, flags, hasOld, count, new, old in
            guard let me = of(builder), let new, let old else { return CDCP_E_FATAL }
            guard let columns = me.relations.columnCounts[oid] else { return CDCP_E_UNSUPPORTED }
            guard Int(count) == columns else { return CDCP_E_DATA }
            new.pointee = op == UInt8(CDCP_OP_DELETE) ? nil : me.cells(columns)
            old.pointee = hasOld == 0 || op == UInt8(CDCP_OP_INSERT) ? nil : me.cells(columns)
            me.rows.append((me.events.count, new.pointee, old.pointee, columns))
            me.events.append(.row(op: op, oid: oid, flags: flags, new: nil, old: nil))
            return CDCP_OK
        }
        ops.truncate = { builder, oids, count, flags in
            of(builder)?.events.append(.truncate(oids: Array(UnsafeBufferPointer(start: oids, count: Int(count))), flags: flags))
            return CDCP_OK
        }
        ops.message = { builder, message in
            guard let me = of(builder), let message = message?.pointee else { return CDCP_E_FATAL }
            let cell = cdcp_cell(ptr: message.content, len: message.content_len, kind: UInt8(CDCP_CELL_VALUE), format: 1, flags: 0)
            if !lies(cell, inside: me.start, me.message.count) {
                me.host.violation("the content of a message does not lie inside it")
                return CDCP_OK
            }
            me.events.append(
                .message(
                    prefix: string(message.prefix), content: Array(UnsafeRawBufferPointer(start: cell.ptr, count: Int(cell.len))),
                    flags: message.flags, lsn: message.lsn))
            return CDCP_OK
        }
        ops.commit = { builder, lsn, end, time in
            of(builder)?.events.append(.commit(commitLSN: lsn, endLSN: end, commitTime: time))
            return CDCP_OK
        }
        let memory = UnsafeMutablePointer<cdcp_builder_ops>.allocate(capacity: 1)
        memory.initialize(to: ops)
        return UnsafePointer(memory)
    }()
}
