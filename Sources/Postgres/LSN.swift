/// A position in the write-ahead log: a byte offset since the cluster was made.
public struct LSN: Comparable, Hashable, Sendable, CustomStringConvertible {
    /// The position as the protocol carries it.
    public let rawValue: UInt64

    /// The position that the server takes for "none".
    public static let zero = LSN(rawValue: 0)

    /// Wraps a raw position.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Reads PostgreSQL's text form, two hexadecimal halves around a slash (`16/B374D848`); nil where it is not one.
    public init?(_ text: some StringProtocol) {
        let halves = text.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2, let high = LSN.half(halves[0]), let low = LSN.half(halves[1]) else { return nil }
        rawValue = high << 32 | low
    }

    /// PostgreSQL's own text form.
    public var description: String {
        String(rawValue >> 32, radix: 16, uppercase: true) + "/" + String(rawValue & 0xFFFF_FFFF, radix: 16, uppercase: true)
    }

    /// Compares by position.
    public static func < (left: LSN, right: LSN) -> Bool { left.rawValue < right.rawValue }

    /// Bytes from `earlier` up to this position; 0 where `earlier` is not earlier.
    public func distance(from earlier: LSN) -> UInt64 { rawValue > earlier.rawValue ? rawValue - earlier.rawValue : 0 }

    private static func half(_ text: some StringProtocol) -> UInt64? {
        guard (1...8).contains(text.utf8.count), text.utf8.allSatisfy({ isHexadecimal($0) }) else { return nil }
        return UInt64(text, radix: 16)
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"): true
        default: false
        }
    }
}
