/// COPY's text format: fields between tabs, escapes by backslash, `\N` for null.
public enum CopyText {
    /// Splits a line in place: undoes each field's escapes where they stand and calls `field` with its number, its bytes and whether it is null.
    ///
    /// The pointers point into the line. Never traps, whatever the bytes: a lone backslash at the end stands for itself. Gives the number of
    /// fields; an empty line has one, empty.
    @inlinable @discardableResult
    public static func split(
        _ line: UnsafeMutablePointer<UInt8>, _ length: Int,
        field: (_ index: Int, _ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, _ isNull: Bool) -> Void
    ) -> Int {
        let end = line + length
        var at = line
        var index = 0
        while true {
            let start = at
            at = nextSpecial(at, end)
            if at == end || at.pointee == 9 {
                field(index, start, at - start, false)
            } else if at == start, end - at >= 2, at[1] == UInt8(ascii: "N"), at + 2 == end || at[2] == 9 {
                at += 2
                field(index, start, 0, true)
            } else {
                var write = at
                unescape(&at, &write, end)
                field(index, start, write - start, false)
            }
            index &+= 1
            if at == end { return index }
            at += 1
        }
    }

    /// The first tab or backslash, or the end: eight bytes at a time.
    @inlinable @inline(__always)
    static func nextSpecial(_ from: UnsafeMutablePointer<UInt8>, _ end: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        var at = from
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        while end - at >= 8 {
            let word = UInt64(littleEndian: UnsafeRawPointer(at).loadUnaligned(as: UInt64.self))
            let tabs = word ^ (ones &* 9)
            let slashes = word ^ (ones &* 92)
            // A byte that became zero sets its high bit; above the first such byte the bits may lie, below it they do not.
            let found = ((tabs &- ones) & ~tabs | (slashes &- ones) & ~slashes) & highs
            if found != 0 { return at + found.trailingZeroBitCount / 8 }
            at += 8
        }
        while at != end && at.pointee != 9 && at.pointee != 92 { at += 1 }
        return at
    }

    /// Undoes escapes from `at`, a backslash, up to the next tab or the end, writing behind `write`.
    @inlinable
    static func unescape(_ at: inout UnsafeMutablePointer<UInt8>, _ write: inout UnsafeMutablePointer<UInt8>, _ end: UnsafeMutablePointer<UInt8>) {
        while at != end && at.pointee != 9 {
            if at.pointee == 92, end - at >= 2 {
                at += 1
                write.pointee = escaped(&at, end)
            } else {
                write.pointee = at.pointee
                at += 1
            }
            write += 1
        }
    }

    /// The byte that an escape stands for; `at` is behind the backslash and moves behind the escape.
    @inlinable
    static func escaped(_ at: inout UnsafeMutablePointer<UInt8>, _ end: UnsafeMutablePointer<UInt8>) -> UInt8 {
        let letter = at.pointee
        at += 1
        switch letter {
        case UInt8(ascii: "b"): return 8
        case UInt8(ascii: "f"): return 12
        case UInt8(ascii: "n"): return 10
        case UInt8(ascii: "r"): return 13
        case UInt8(ascii: "t"): return 9
        case UInt8(ascii: "v"): return 11
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            var value = UInt32(letter &- 48)
            var digits = 1
            while digits < 3, at != end, (48...55).contains(at.pointee) {
                value = value &* 8 &+ UInt32(at.pointee &- 48)
                at += 1
                digits += 1
            }
            return UInt8(truncatingIfNeeded: value)
        case UInt8(ascii: "x"):
            var value: UInt8 = 0
            var digits = 0
            while digits < 2, at != end, let digit = hexadecimal(at.pointee) {
                value = value &<< 4 | digit
                at += 1
                digits += 1
            }
            return digits == 0 ? letter : value
        default: return letter
        }
    }

    @inlinable
    static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte &- 48
        case 65...70: byte &- 55
        case 97...102: byte &- 87
        default: nil
        }
    }
}
