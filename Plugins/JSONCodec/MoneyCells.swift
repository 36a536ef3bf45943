/// `money`, whose text depends on the server's lc_monetary: a number of hundredths all the same.
struct MoneyText {
    /// Hundredths.
    var cents: Int64

    init(_ text: UnsafePointer<UInt8>, _ count: Int) throws(CellFailure) {
        var magnitude: UInt64 = 0
        var negative = false
        var digits = 0
        var afterSeparator = 0
        var separated = false
        for index in 0..<count {
            let character = text[index]
            if character &- 0x30 <= 9 {
                let (tenfold, tooLarge) = magnitude.multipliedReportingOverflow(by: 10)
                if tooLarge { throw .outOfRange }
                magnitude = tenfold &+ UInt64(character &- 0x30)
                digits &+= 1
                afterSeparator &+= 1
            } else if character == UInt8(ascii: "-") || character == UInt8(ascii: "(") {
                negative = true
            } else if character == UInt8(ascii: ".") || character == UInt8(ascii: ","), digits > 0 {
                separated = true
                afterSeparator = 0
            }
        }
        if digits == 0 { throw .malformed }
        // Without a fraction (a currency that has none), or behind a separator of thousands.
        if !separated || afterSeparator > 2 {
            let (hundredfold, tooLarge) = magnitude.multipliedReportingOverflow(by: 100)
            if tooLarge { throw .outOfRange }
            magnitude = hundredfold
        }
        guard magnitude <= UInt64(Int64.max) &+ (negative ? 1 : 0) else { throw .outOfRange }
        cents = Int64(truncatingIfNeeded: negative ? 0 &- magnitude : magnitude)
    }
}

extension RecordWriter {
    mutating func money(_ text: UnsafePointer<UInt8>, _ count: Int, as encoding: CellEncoding) throws(CellFailure) {
        let money = try MoneyText(text, count)
        if encoding == .money { return twosComplement(money.cents) }
        var plain: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        let (whole, cents) = money.cents.magnitude.quotientAndRemainder(dividingBy: 100)
        let quote = encoding == .moneyText
        let start = self.count
        if quote { byte(UInt8(ascii: "\"")) }
        if money.cents < 0 { byte(UInt8(ascii: "-")) }
        unsigned(whole)
        byte(UInt8(ascii: "."))
        padded(Int(cents), width: 2)
        if quote { byte(UInt8(ascii: "\"")) }
        guard encoding == .moneyDouble else { return }
        // The plain number is at hand now: take it back and print it as Java does.
        let length = self.count &- start
        cursor -= length
        let from = UnsafeRawPointer(cursor)
        try withUnsafeMutableBytes(of: &plain) { buffer throws(CellFailure) in
            guard let copy = buffer.baseAddress, length <= buffer.count else { throw .malformed }
            copy.copyMemory(from: from, byteCount: length)
            try javaDecimal(UnsafePointer(copy.assumingMemoryBound(to: UInt8.self)), length, scale: 2)
        }
    }
}
