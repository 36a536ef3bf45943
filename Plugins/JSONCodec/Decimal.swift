// `numeric`, exactly: up to 131072 digits before the point and 16383 after it.

/// A numeric's text taken apart: digits around at most one point, without exponent.
struct DecimalText {
    var negative: Bool
    /// Start of the digits; the point, if any, is among them.
    var start: UnsafePointer<UInt8>
    /// Digits before the point.
    var whole: Int
    /// Digits after it.
    var fraction: Int

    init(_ text: UnsafePointer<UInt8>, _ count: Int) throws(CellFailure) {
        var index = 0
        negative = count > 0 && text[0] == UInt8(ascii: "-")
        if negative { index = 1 }
        start = text + index
        whole = 0
        while index < count, text[index] &- 0x30 <= 9 {
            index &+= 1
            whole &+= 1
        }
        fraction = 0
        if index < count, text[index] == UInt8(ascii: ".") {
            index &+= 1
            while index < count, text[index] &- 0x30 <= 9 {
                index &+= 1
                fraction &+= 1
            }
        }
        if index != count || whole &+ fraction == 0 {
            throw count > 0 && (text[count &- 1] | 0x20 == UInt8(ascii: "n") || text[count &- 1] == UInt8(ascii: "y")) ? .notFinite : .malformed
        }
    }

    /// The i-th digit, the point left out; zero beyond the last.
    @inline(__always)
    func digit(_ index: Int) -> UInt8 {
        if index < whole { return start[index] &- 0x30 }
        return index < whole &+ fraction ? start[index &+ 1] &- 0x30 : 0
    }

    /// Digits after the point without their trailing zeros.
    var significantFraction: Int {
        var kept = fraction
        while kept > 0, start[whole &+ kept] == 0x30 { kept &-= 1 }
        return kept
    }
}

extension RecordWriter {
    /// Connect's Decimal: the unscaled number at `scale`, base64.
    mutating func decimal(_ text: UnsafePointer<UInt8>, _ count: Int, scale: Int, _ scratch: inout Scratch) throws(CellFailure) {
        let decimal = try DecimalText(text, count)
        if decimal.fraction > scale, decimal.significantFraction > scale { throw .malformed }
        try unscaled(decimal, digits: decimal.whole &+ scale, &scratch)
    }

    /// `{"scale":…,"value":…}` with the scale of the value, its trailing zeros stripped.
    mutating func variableScaleDecimal(_ text: UnsafePointer<UInt8>, _ count: Int, _ scratch: inout Scratch) throws(CellFailure) {
        let decimal = try DecimalText(text, count)
        let scale = decimal.significantFraction
        put(#"{"scale":"#)
        unsigned(UInt64(scale))
        put(#","value":"#)
        try unscaled(decimal, digits: decimal.whole &+ scale, &scratch)
        byte(UInt8(ascii: "}"))
    }

    /// The text as it is, checked; with more zeros where the server printed fewer than `scale` (a negative scale in the catalog).
    mutating func decimalText(_ text: UnsafePointer<UInt8>, _ count: Int, scale: Int) throws(CellFailure) {
        let decimal = try DecimalText(text, count)
        let missing = max(scale &- decimal.fraction, 0)
        try room(count &+ missing &+ 8)
        put(text, count)
        if missing > 0 {
            if decimal.fraction == 0 { byte(UInt8(ascii: ".")) }
            for _ in 0..<missing { byte(0x30) }
        }
    }

    private mutating func unscaled(_ decimal: DecimalText, digits: Int, _ scratch: inout Scratch) throws(CellFailure) {
        if digits <= 18 {
            var value: Int64 = 0
            for index in 0..<digits { value = value &* 10 &+ Int64(decimal.digit(index)) }
            twosComplement(decimal.negative ? 0 &- value : value)
            return
        }
        // Limbs of 64 bits, least significant first, fed 19 digits at a time.
        let limbCount = digits / 19 &+ 2
        let memory = try scratch.reserve(limbCount &* 16 &+ 16)
        let limbs = memory.assumingMemoryBound(to: UInt64.self)
        let bytes = (memory + limbCount &* 8).assumingMemoryBound(to: UInt8.self)
        var used = 0
        var index = 0
        while index < digits {
            let group = (digits &- index) % 19 == 0 ? 19 : (digits &- index) % 19
            var carry: UInt64 = 0
            var power: UInt64 = 1
            for offset in 0..<group {
                carry = carry &* 10 &+ UInt64(decimal.digit(index &+ offset))
                power = power &* 10
            }
            for limb in 0..<used {
                let product = limbs[limb].multipliedFullWidth(by: power)
                let (sum, overflow) = product.low.addingReportingOverflow(carry)
                limbs[limb] = sum
                carry = product.high &+ (overflow ? 1 : 0)
            }
            if carry > 0 {
                limbs[used] = carry
                used &+= 1
            }
            index &+= group
        }
        if decimal.negative {
            var borrow = true
            for limb in 0..<used {
                limbs[limb] = ~limbs[limb] &+ (borrow ? 1 : 0)
                borrow = borrow && limbs[limb] == 0
            }
        }
        // One byte of sign in front, then cut what the sign makes needless.
        let total = used &* 8 &+ 1
        let negative = decimal.negative && used > 0
        bytes[0] = negative ? 0xff : 0
        for limb in 0..<used {
            let value = limbs[used &- 1 &- limb]
            for place in 0..<8 { bytes[1 &+ limb &* 8 &+ place] = UInt8(truncatingIfNeeded: value &>> UInt64(56 &- place &* 8)) }
        }
        var first = 0
        while first &+ 1 < total, bytes[first] == bytes[0], (bytes[first &+ 1] ^ bytes[0]) & 0x80 == 0 { first &+= 1 }
        try binary(bytes + first, total &- first, as: .base64)
    }
}
