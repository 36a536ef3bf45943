import PluginABI

/// A column's value in a literal: `"1"`, `.null`, `.absent`, `.unchanged`, `.binary([…])`.
public enum Cell: Equatable, Sendable, ExpressibleByStringLiteral {
    case text(String)
    case null
    case absent
    case unchanged
    case binary([UInt8])
    /// Text format with any bytes, as a broken server could send them.
    case bytes([UInt8])
    /// As a stage leaves it that put its own bytes there.
    case rewritten([UInt8])
    /// A kind that the contract does not know.
    case kind(UInt8)

    public init(stringLiteral value: String) { self = .text(value) }

    /// The text, for values only.
    public var string: String? { if case .text(let value) = self { value } else { nil } }
}

/// A row to be shown to a stage.
public struct RowSpec {
    public var op: UInt8
    public var relation: Relation?
    public var new: [Cell]?
    public var old: [Cell]?
    public var flags: UInt16 = 0
    /// Into the transactions of the call.
    public var transaction: UInt32 = 0
    /// nil: counted from 1 in each transaction.
    public var seq: UInt64?
    public var lsn: UInt64 = 0x16B_3748
    /// As an earlier stage may have set it.
    public var topic: UInt32 = 0
    public var headers: [Header] = []

    public init(op: Int32, _ relation: Relation?, new: [Cell]? = nil, old: [Cell]? = nil, flags: Int32 = 0) {
        self.op = UInt8(op)
        self.relation = relation
        self.new = new
        self.old = old
        self.flags = UInt16(flags)
    }

    public static func insert(_ relation: Relation, _ new: [Cell]) -> RowSpec { RowSpec(op: CDCP_OP_INSERT, relation, new: new) }
    public static func read(_ relation: Relation, _ new: [Cell]) -> RowSpec { RowSpec(op: CDCP_OP_READ, relation, new: new) }
    public static func update(_ relation: Relation, old: [Cell]? = nil, _ new: [Cell], isKey: Bool = false) -> RowSpec {
        RowSpec(op: CDCP_OP_UPDATE, relation, new: new, old: old, flags: isKey ? CDCP_ROWF_OLD_IS_KEY : 0)
    }
    public static func delete(_ relation: Relation, _ old: [Cell], isKey: Bool = false) -> RowSpec {
        RowSpec(op: CDCP_OP_DELETE, relation, old: old, flags: isKey ? CDCP_ROWF_OLD_IS_KEY : 0)
    }
    public static func truncate(_ relation: Relation) -> RowSpec { RowSpec(op: CDCP_OP_TRUNCATE, relation) }
    public static func message(prefix: String, _ content: [UInt8], transactional: Bool = true) -> RowSpec {
        RowSpec(
            op: CDCP_OP_MESSAGE, nil, new: [.text(prefix), .binary(content)], flags: transactional ? CDCP_ROWF_TRANSACTIONAL : 0)
    }
    /// CDCP_OP_BEGIN, _COMMIT, _SCHEMA or _HEARTBEAT.
    public static func marker(_ op: Int32, _ relation: Relation? = nil) -> RowSpec { RowSpec(op: op, relation) }

    /// The same row in another transaction, or with other fields.
    public func with(_ change: (inout RowSpec) -> Void) -> RowSpec {
        var copy = self
        change(&copy)
        return copy
    }
}

/// A header of a row or a record; value nil: null.
public struct Header: Equatable, Sendable {
    public let key: String
    public let value: [UInt8]?

    public init(_ key: String, _ value: String?) {
        self.key = key
        self.value = value.map { Array($0.utf8) }
    }

    init(_ header: cdcp_header) {
        key = String(decoding: UnsafeRawBufferPointer(start: header.key, count: Int(header.key_len)), as: UTF8.self)
        value = header.value_len == CDCP_HEADER_NULL ? nil : Array(UnsafeRawBufferPointer(start: header.value, count: Int(header.value_len)))
    }

    /// The value as text.
    public var text: String? { value.map { String(decoding: $0, as: UTF8.self) } }
}

/// A transaction that rows belong to.
public struct TransactionSpec: Sendable {
    public var xid: UInt32 = 555
    public var flags: UInt32 = 0
    public var commitLSN: UInt64 = 24_023_200
    public var endLSN: UInt64 = 24_023_248
    public var previousEndLSN: UInt64 = 0
    /// Microseconds since 1970.
    public var commitTime: Int64 = 1_787_392_800_123_456
    public var origin = ""
    public var originLSN: UInt64 = 0

    public init() {}

    public func with(_ change: (inout TransactionSpec) -> Void) -> TransactionSpec {
        var copy = self
        change(&copy)
        return copy
    }
}

/// What became of a row.
public struct RowResult {
    public struct Failure: Equatable, Sendable {
        public let code: Int32
        public let text: String
    }
    public let op: UInt8
    public let disposition: UInt8
    public let flags: UInt16
    public let topic: UInt32
    /// The shape that the cells have now.
    public let relation: Relation?
    public let new: [Cell]?
    public let old: [Cell]?
    /// CDCP_CELLF_* of each cell.
    public let newFlags: [UInt16]
    public let oldFlags: [UInt16]
    public let headers: [Header]
    public let failure: Failure?

    public var isDropped: Bool { disposition == UInt8(CDCP_ROW_DROP) }
    public var isFailed: Bool { disposition == UInt8(CDCP_ROW_FAIL) }
}
