/// "00" to "99", for numbers written two digits at a time.
private let pairs: StaticString = """
    00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869\
    707172737475767778798081828384858687888990919293949596979899
    """

extension RecordWriter {
    /// A number in decimal; takes up to 20 bytes.
    @inline(__always)
    mutating func unsigned(_ value: UInt64) {
        var rest = value
        let length = decimalLength(value)
        var position = cursor + length
        let table = pairs.utf8Start
        while rest >= 100 {
            let (quotient, pair) = rest.quotientAndRemainder(dividingBy: 100)
            position -= 2
            position[0] = table[Int(pair) &* 2]
            position[1] = table[Int(pair) &* 2 &+ 1]
            rest = quotient
        }
        if rest >= 10 {
            position[-2] = table[Int(rest) &* 2]
            position[-1] = table[Int(rest) &* 2 &+ 1]
        } else {
            position[-1] = UInt8(truncatingIfNeeded: rest) &+ 0x30
        }
        cursor += length
    }

    /// A signed number in decimal; takes up to 20 bytes.
    @inline(__always)
    mutating func signed(_ value: Int64) {
        if value < 0 { byte(UInt8(ascii: "-")) }
        unsigned(value.magnitude)
    }

    /// `value` with leading zeros to `width` digits.
    mutating func padded(_ value: Int, width: Int) {
        var divisor = 1
        for _ in 1..<max(width, 1) { divisor &*= 10 }
        while divisor > 1, value < divisor {
            byte(UInt8(ascii: "0"))
            divisor /= 10
        }
        unsigned(UInt64(truncatingIfNeeded: max(value, 0)))
    }

    /// Copies a whole number as the server printed it, checked to be one.
    @inline(__always)
    mutating func integerText(_ text: UnsafePointer<UInt8>, _ count: Int) throws(CellFailure) {
        let sign = count > 1 && text[0] == UInt8(ascii: "-") ? 1 : 0
        var rest = count &- sign
        guard rest > 0, rest <= 20 else { throw .malformed }
        // JSON has no leading zeros, nor has the server.
        if rest > 1, text[sign] == 0x30 { throw .malformed }
        var out = cursor
        out.pointee = UInt8(ascii: "-")
        out += sign
        var digits = text + sign
        var good = true
        while rest >= 8 {
            let word = load64(digits)
            good = good && allDigits(word)
            UnsafeMutableRawPointer(out).storeBytes(of: word.littleEndian, as: UInt64.self)
            out += 8
            digits += 8
            rest &-= 8
        }
        if rest > 0 {
            let word = loadTail(digits, rest)
            // The spaces behind the digits become zeros for the test.
            good = good && allDigits(word | (0x1010_1010_1010_1010 as UInt64) &<< UInt64(rest &* 8))
            UnsafeMutableRawPointer(out).storeBytes(of: word.littleEndian, as: UInt64.self)
            out += rest
        }
        guard good else { throw .malformed }
        cursor = out
    }
}

/// Whether all eight bytes are decimal digits.
@inline(__always)
private func allDigits(_ word: UInt64) -> Bool {
    word & 0xf0f0_f0f0_f0f0_f0f0 == 0x3030_3030_3030_3030 && (word &+ 0x0606_0606_0606_0606) & 0xf0f0_f0f0_f0f0_f0f0 == 0x3030_3030_3030_3030
}

@inline(__always)
private func decimalLength(_ value: UInt64) -> Int {
    var length = 1
    var rest = value
    while rest >= 10_000 {
        rest /= 10_000
        length &+= 4
    }
    if rest >= 1000 { return length &+ 3 }
    if rest >= 100 { return length &+ 2 }
    return rest >= 10 ? length &+ 1 : length
}
