// Floating point: PostgreSQL prints the shortest digits that read back to the same value; Java puts them differently.

extension RecordWriter {
    /// A float as the server printed it, where JSON has it; NaN and the infinities quoted.
    mutating func floatText(_ text: UnsafePointer<UInt8>, _ count: Int) throws(CellFailure) {
        guard count > 0, count <= 32 else { throw .malformed }
        if try special(text, count) { return }
        var index = text[0] == UInt8(ascii: "-") ? 1 : 0
        // JSON's grammar: no leading zeros, digits on both sides of the point.
        guard let whole = RecordWriter.digits(text, index, count), text[index] != 0x30 || whole == index &+ 1 else { throw .malformed }
        index = whole
        if index < count, text[index] == UInt8(ascii: ".") {
            guard let fraction = RecordWriter.digits(text, index &+ 1, count) else { throw .malformed }
            index = fraction
        }
        if index < count, text[index] == UInt8(ascii: "e") {
            let sign = index &+ 1 < count && (text[index &+ 1] == UInt8(ascii: "-") || text[index &+ 1] == UInt8(ascii: "+")) ? 1 : 0
            guard let exponent = RecordWriter.digits(text, index &+ 1 &+ sign, count) else { throw .malformed }
            index = exponent
        }
        guard index == count else { throw .malformed }
        put(text, count)
    }

    /// Where a run of digits from `first` on ends; nil where there is none.
    @inline(__always)
    private static func digits(_ text: UnsafePointer<UInt8>, _ first: Int, _ count: Int) -> Int? {
        var index = first
        while index < count, text[index] &- 0x30 <= 9 { index &+= 1 }
        return index > first ? index : nil
    }

    /// A float as Java prints it: plain between 0.001 and 10^7, else with an exponent, always with a digit after the point.
    mutating func javaFloat(_ text: UnsafePointer<UInt8>, _ count: Int, single: Bool) throws(CellFailure) {
        if try special(text, count) { return }
        var number = try FloatDigits(text, count)
        if number.count == 1, number.exponent < -35 { number.correctTiny(single: single) }
        try room(96)
        java(number)
    }

    /// A numeric as a double in Java's form.
    mutating func javaDecimal(_ text: UnsafePointer<UInt8>, _ count: Int, scale: Int) throws(CellFailure) {
        if count > 0, count <= 9, try special(text, count) { return }
        _ = try DecimalText(text, count)
        let number = try FloatDigits(text, count)
        // Up to 15 digits are their own shortest form.
        if !number.truncated, number.count <= 15, number.exponent > -290, number.exponent < 290 {
            try room(96)
            java(number)
            return
        }
        guard let value = Double(String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self)) else { throw .malformed }
        if value.isInfinite {
            put(value < 0 ? #""-Infinity""# : #""Infinity""#)
            return
        }
        var shortest = value.description
        let digits = shortest.withUTF8 { bytes -> FloatDigits? in
            guard let start = bytes.baseAddress else { return nil }
            return try? FloatDigits(start, bytes.count)
        }
        guard let digits else { throw .malformed }
        try room(96)
        java(digits)
    }

    /// NaN and the infinities, quoted; false where the text is a number.
    private mutating func special(_ text: UnsafePointer<UInt8>, _ count: Int) throws(CellFailure) -> Bool {
        guard count > 0 else { throw .malformed }
        let last = text[count &- 1]
        guard last == UInt8(ascii: "N") || last == UInt8(ascii: "y") else { return false }
        switch (count, text[0]) {
        case (3, UInt8(ascii: "N")): put(#""NaN""#)
        case (8, UInt8(ascii: "I")): put(#""Infinity""#)
        case (9, UInt8(ascii: "-")): put(#""-Infinity""#)
        default: throw .malformed
        }
        return true
    }

    private mutating func java(_ number: FloatDigits) {
        if number.negative { byte(UInt8(ascii: "-")) }
        let count = number.count
        let exponent = number.exponent
        if count == 0 {
            put("0.0")
        } else if exponent > -3, exponent <= 7 {
            if exponent <= 0 {
                put("0.")
                for _ in 0..<(0 &- exponent) { byte(0x30) }
                for index in 0..<count { byte(number[index]) }
            } else {
                for index in 0..<exponent { byte(index < count ? number[index] : 0x30) }
                byte(UInt8(ascii: "."))
                if count <= exponent { byte(0x30) } else { for index in exponent..<count { byte(number[index]) } }
            }
        } else {
            byte(number[0])
            byte(UInt8(ascii: "."))
            if count == 1 { byte(0x30) } else { for index in 1..<count { byte(number[index]) } }
            byte(UInt8(ascii: "E"))
            signed(Int64(exponent &- 1))
        }
    }
}

/// The significant digits of a printed float: 0.d1d2d3… times ten to the `exponent`, no zeros at either end.
private struct FloatDigits {
    var negative = false
    var count = 0
    var exponent = 0
    /// More digits than a double needs were there, and were dropped.
    var truncated = false
    private var digits: (UInt64, UInt64, UInt64) = (0, 0, 0)

    subscript(_ index: Int) -> UInt8 {
        let word = index < 8 ? digits.0 : index < 16 ? digits.1 : digits.2
        return UInt8(truncatingIfNeeded: word &>> UInt64((index & 7) &* 8))
    }

    private mutating func append(_ digit: UInt8) {
        if count >= 24 {
            if digit != 0x30 { truncated = true }
            return
        }
        let shifted = UInt64(digit) &<< UInt64((count & 7) &* 8)
        if count < 8 { digits.0 |= shifted } else if count < 16 { digits.1 |= shifted } else { digits.2 |= shifted }
        count &+= 1
    }

    init(_ text: UnsafePointer<UInt8>, _ length: Int) throws(CellFailure) {
        var index = 0
        if index < length, text[index] == UInt8(ascii: "-") {
            negative = true
            index = 1
        }
        var seen = false
        var afterPoint = false
        scan: while index < length {
            let character = text[index]
            switch character {
            case 0x30...0x39:
                seen = true
                if count > 0 || character != 0x30 {
                    append(character)
                    if !afterPoint { exponent &+= 1 }
                } else if afterPoint {
                    exponent &-= 1
                }
            case UInt8(ascii: "."):
                if afterPoint { throw .malformed }
                afterPoint = true
            case UInt8(ascii: "e"), UInt8(ascii: "E"): break scan
            default: throw .malformed
            }
            index &+= 1
        }
        guard seen else { throw .malformed }
        if index < length { exponent &+= try FloatDigits.power(text, from: index &+ 1, length) }
        while count > 0, self[count &- 1] == 0x30 { count &-= 1 }
    }

    private static func power(_ text: UnsafePointer<UInt8>, from first: Int, _ length: Int) throws(CellFailure) -> Int {
        var index = first
        var negative = false
        if index < length, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
            negative = text[index] == UInt8(ascii: "-")
            index &+= 1
        }
        guard index < length, length &- index <= 4 else { throw .malformed }
        var value = 0
        while index < length {
            let digit = text[index] &- 0x30
            if digit > 9 { throw .malformed }
            value = value &* 10 &+ Int(digit)
            index &+= 1
        }
        return negative ? 0 &- value : value
    }

    /// Java prints at least two digits, those nearest to the value: it shows only where the smallest numbers lie further apart than that.
    mutating func correctTiny(single: Bool) {
        let digit = Double(self[0] &- 0x30)
        // The smallest positive number, as a decimal, and how many of it the value is.
        let unit = single ? 1.401298464324817 : 4.940656458412465
        let unitExponent = single ? -44 : -323
        var scale = 1.0
        guard exponent >= unitExponent, exponent <= unitExponent &+ 3 else { return }
        for _ in unitExponent..<exponent { scale *= 10 }
        let steps = (digit * scale / unit).rounded()
        guard steps >= 1 else { return }
        var value = steps * unit
        exponent = unitExponent
        while value >= 10 {
            value /= 10
            exponent &+= 1
        }
        let twoDigits = Int((value * 10).rounded())
        let kept = twoDigits >= 100 ? 10 : twoDigits
        if twoDigits >= 100 { exponent &+= 1 }
        digits = (UInt64(kept / 10 &+ 0x30) | UInt64(kept % 10 &+ 0x30) &<< 8, 0, 0)
        count = kept % 10 == 0 ? 1 : 2
    }
}
