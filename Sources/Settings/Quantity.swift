/// Durations and sizes as people write them: a number and its unit.
public enum Quantity: Sendable {
    /// Durations: `250ms 10s 5m 1h`.
    case duration
    /// Sizes: `64KiB 16MiB 1GB`.
    case size

    /// The units and what one of each is, in nanoseconds or bytes.
    var units: [(name: String, factor: Int64)] {
        switch self {
        case .duration:
            [
                ("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
                ("d", 86_400_000_000_000),
            ]
        case .size:
            [("B", 1), ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)]
        }
    }

    /// What the kind is called, with examples: for messages.
    var words: String {
        switch self {
        case .duration: "a duration such as 250ms, 10s, 5m, 1h"
        case .size: "a size such as 64KiB, 16MiB, 1GB"
        }
    }

    /// What is wrong with a text that should be a quantity.
    public struct Malformed: Error, Sendable, Equatable {
        /// What is wrong; what is allowed.
        public let message: String
    }

    /// The quantity in nanoseconds or bytes. `1.5GB` is fine where it comes out whole; a number without a unit is not.
    public func parse(_ text: String) throws(Malformed) -> Int64 {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(number.count).drop { $0 == " " }
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard let whole = parts.first, !whole.isEmpty, parts.count <= 2, parts.allSatisfy({ !$0.isEmpty }) else {
            throw Malformed(message: self == .size ? "not a size" : "not a duration")
        }
        guard !unit.isEmpty else { throw Malformed(message: "a number without a unit; write \(examples(number))") }
        guard let factor = units.first(where: { $0.name == unit })?.factor else {
            let near = units.first { $0.name.lowercased() == unit.lowercased() }
            let hint = near.map { "; did you mean \(number)\($0.name)?" } ?? ""
            throw Malformed(message: "the unit is unknown; allowed are \(units.map(\.name).joined(separator: ", "))\(hint)")
        }
        guard let wholes = Int64(whole) else { throw Malformed(message: "larger than a 64-bit number holds") }
        let (large, overflows) = wholes.multipliedReportingOverflow(by: factor)
        let fraction = try parts.count == 2 ? Quantity.fraction(parts[1], of: factor) : 0
        let (sum, overflowsToo) = large.addingReportingOverflow(fraction)
        guard !overflows, !overflowsToo else { throw Malformed(message: "larger than a 64-bit number of \(self == .size ? "bytes" : "nanoseconds")") }
        return sum
    }

    /// The quantity with the largest unit that writes it whole: `24MiB`, `10s`.
    public func text(_ amount: Int64) -> String {
        guard amount != 0 else { return self == .size ? "0B" : "0s" }
        let fit = units.filter { amount % $0.factor == 0 }.max { $0.factor < $1.factor }
        return fit.map { "\(amount / $0.factor)\($0.name)" } ?? "\(amount)\(units[0].name)"
    }

    private func examples(_ number: Substring) -> String {
        self == .size ? "\(number)B, \(number)KiB or \(number)MiB" : "\(number)ms, \(number)s or \(number)m"
    }

    private static func fraction(_ digits: Substring, of factor: Int64) throws(Malformed) -> Int64 {
        guard digits.count <= 9, let number = Int64(digits) else { throw Malformed(message: "more than nine digits after the point") }
        var scale: Int64 = 1
        for _ in 0..<digits.count { scale *= 10 }
        let (product, overflows) = number.multipliedReportingOverflow(by: factor)
        guard !overflows, product % scale == 0 else { throw Malformed(message: "not a whole number of the smallest unit") }
        return product / scale
    }
}
