/// A value in a log line. Never a row's value, never a secret: the caller sees to that.
public enum LogValue: Sendable, Equatable {
    /// Text; quoted where a reader could take it for something else, control characters escaped, at most `textMax` bytes.
    case text(String)
    /// A whole number.
    case number(Int64)
    /// A whole number without sign.
    case unsigned(UInt64)
    /// A number with a fraction; not-a-number and infinities become text in JSON.
    case real(Double)
    /// Yes or no.
    case flag(Bool)
    /// A time span: `250ms` in text, seconds as a number in JSON.
    case duration(Duration)
    /// A log position: `0/16B2D50`, as PostgreSQL writes it.
    case lsn(UInt64)
    /// Several texts: joined by commas in text, an array in JSON.
    case list([String])

    /// Longer text is cut, so that one line stays one line's size.
    public static let textMax = 4096

    /// A whole number of any type.
    public static func count(_ value: some BinaryInteger) -> LogValue {
        if let number = Int64(exactly: value) { return .number(number) }
        return .unsigned(UInt64(clamping: value))
    }

    /// A position as PostgreSQL writes it.
    public static func lsnText(_ position: UInt64) -> String {
        "\(String(position >> 32, radix: 16, uppercase: true))/\(String(position & 0xFFFF_FFFF, radix: 16, uppercase: true))"
    }
}

extension LogValue: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    /// A literal text.
    public init(stringLiteral value: String) { self = .text(value) }
    /// A literal number.
    public init(integerLiteral value: Int64) { self = .number(value) }
    /// A literal flag.
    public init(booleanLiteral value: Bool) { self = .flag(value) }
}

extension Duration {
    /// `0ms 1.5ms 250ms 10s 2m5s 1h0m`, three digits' worth, for people.
    public var logText: String {
        let nanoseconds = nanosecondsClamped
        switch nanoseconds {
        case 0: return self < .zero ? "-\((.zero - self).logText)" : "0ms"
        case ..<1_000: return "\(nanoseconds)ns"
        case ..<1_000_000: return "\(Self.tenths(nanoseconds, 1_000))us"
        case ..<1_000_000_000: return "\(Self.tenths(nanoseconds, 1_000_000))ms"
        case ..<60_000_000_000: return "\(Self.tenths(nanoseconds, 1_000_000_000))s"
        case ..<3_600_000_000_000: return "\(nanoseconds / 60_000_000_000)m\(nanoseconds / 1_000_000_000 % 60)s"
        default: return "\(nanoseconds / 3_600_000_000_000)h\(nanoseconds / 60_000_000_000 % 60)m"
        }
    }

    private static func tenths(_ value: UInt64, _ unit: UInt64) -> String {
        let tenth = value / (unit / 10) % 10
        return tenth == 0 ? String(value / unit) : "\(value / unit).\(tenth)"
    }
}
