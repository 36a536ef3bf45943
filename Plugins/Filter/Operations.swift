import PluginABI
import PluginKit

/// A set of operations, one bit each.
struct Operations: Equatable {
    private(set) var bits: UInt32

    static let names: [(name: String, op: Int32)] = [
        ("insert", CDCP_OP_INSERT), ("update", CDCP_OP_UPDATE), ("delete", CDCP_OP_DELETE), ("truncate", CDCP_OP_TRUNCATE),
        ("message", CDCP_OP_MESSAGE), ("read", CDCP_OP_READ),
    ]
    static let all = Operations(bits: ~0)
    static let none = Operations(bits: 0)

    /// - Parameter words: empty: every operation.
    init(_ words: [String], origin: String) throws(StageError) {
        guard !words.isEmpty else {
            self = .all
            return
        }
        // An operation that a later contract adds is left alone: only those with a name can be filtered out.
        bits = Self.names.reduce(~0) { $0 & ~(1 << UInt32($1.op)) }
        for word in words {
            guard let op = Self.names.first(where: { $0.name == word })?.op else {
                throw .config("\(origin): '\(word)' is no operation; allowed are \(Self.names.map(\.name).joined(separator: ", "))")
            }
            bits |= 1 << UInt32(op)
        }
    }

    private init(bits: UInt32) { self.bits = bits }

    @inline(__always)
    func contains(_ op: UInt8) -> Bool { op < 32 && bits & (1 << UInt32(op)) != 0 || op >= 32 && bits != 0 }
}
