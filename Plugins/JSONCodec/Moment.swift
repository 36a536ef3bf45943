// Dates and times as PostgreSQL prints them under DateStyle ISO.

/// A date, a time of day, or both, taken from text. Years before 1 AD count down from 0, as astronomers and ISO 8601 count them.
struct Moment {
    enum Infinity { case none, past, future }

    var infinity = Infinity.none
    var year = 1970
    var month = 1
    var day = 1
    /// Microseconds since midnight; 24:00:00 is a full day.
    var microseconds: Int64 = 0
    /// Seconds east of Greenwich, where the text has an offset.
    var offset: Int64 = 0

    static let dayMicroseconds: Int64 = 86_400_000_000

    /// `YYYY-MM-DD[ HH:MM:SS[.ffffff]][+HH[:MM[:SS]]][ BC]`, or an infinity.
    init(date text: UnsafePointer<UInt8>, _ count: Int) throws(CellFailure) {
        if count > 0, text[0] > 0x39 || text[0] == UInt8(ascii: "-") {
            if count == 8, text[0] == UInt8(ascii: "i") {
                infinity = .future
            } else if count == 9, text[0] == UInt8(ascii: "-"), text[1] == UInt8(ascii: "i") {
                infinity = .past
            } else {
                throw .malformed
            }
            return
        }
        var cursor = TextCursor(text, count)
        year = try cursor.number(maxDigits: 7)
        try cursor.expect(UInt8(ascii: "-"))
        month = try cursor.two()
        try cursor.expect(UInt8(ascii: "-"))
        day = try cursor.two()
        guard month >= 1, month <= 12, day >= 1, day <= 31 else { throw .malformed }
        if cursor.accept(UInt8(ascii: " ")) {
            if cursor.accept(UInt8(ascii: "B")) {
                try cursor.expect(UInt8(ascii: "C"))
                year = 1 &- year
            } else {
                try clock(&cursor)
                if cursor.accept(UInt8(ascii: " ")) {
                    try cursor.expect(UInt8(ascii: "B"))
                    try cursor.expect(UInt8(ascii: "C"))
                    year = 1 &- year
                }
            }
        }
        guard cursor.atEnd else { throw .malformed }
    }

    /// `HH:MM:SS[.ffffff][+HH[:MM[:SS]]]`.
    init(time text: UnsafePointer<UInt8>, _ count: Int) throws(CellFailure) {
        var cursor = TextCursor(text, count)
        try clock(&cursor)
        guard cursor.atEnd else { throw .malformed }
    }

    private mutating func clock(_ cursor: inout TextCursor) throws(CellFailure) {
        let hours = try cursor.two()
        try cursor.expect(UInt8(ascii: ":"))
        let minutes = try cursor.two()
        try cursor.expect(UInt8(ascii: ":"))
        let seconds = try cursor.two()
        microseconds = Int64((hours &* 60 &+ minutes) &* 60 &+ seconds) &* 1_000_000
        if cursor.accept(UInt8(ascii: ".")) { microseconds &+= try cursor.fraction() }
        let east = cursor.accept(UInt8(ascii: "+"))
        if east || cursor.accept(UInt8(ascii: "-")) {
            var seconds = try cursor.two() &* 3600
            if cursor.accept(UInt8(ascii: ":")) { seconds &+= try cursor.two() &* 60 }
            if cursor.accept(UInt8(ascii: ":")) { seconds &+= try cursor.two() }
            offset = Int64(east ? seconds : 0 &- seconds)
        }
    }

    /// Days since 1970-01-01 in the proleptic Gregorian calendar.
    var days: Int64 {
        let shifted = month <= 2 ? year &- 1 : year
        let era = (shifted >= 0 ? shifted : shifted &- 399) / 400
        let yearOfEra = shifted &- era &* 400
        let dayOfYear = (153 &* (month > 2 ? month &- 3 : month &+ 9) &+ 2) / 5 &+ day &- 1
        let dayOfEra = yearOfEra &* 365 &+ yearOfEra / 4 &- yearOfEra / 100 &+ dayOfYear
        return Int64(era &* 146_097 &+ dayOfEra &- 719_468)
    }

    /// Microseconds since 1970-01-01 UTC; nil where 64 bits do not hold it.
    var epochMicroseconds: Int64? {
        let (product, tooLarge) = days.multipliedReportingOverflow(by: Moment.dayMicroseconds)
        let (sum, overflow) = product.addingReportingOverflow(microseconds &- offset &* 1_000_000)
        return tooLarge || overflow ? nil : sum
    }

    /// The same instant without offset, and with a time of day below 24 hours.
    mutating func normalize() {
        var dayNumber = days
        microseconds &-= offset &* 1_000_000
        offset = 0
        while microseconds < 0 {
            microseconds &+= Moment.dayMicroseconds
            dayNumber &-= 1
        }
        while microseconds >= Moment.dayMicroseconds {
            microseconds &-= Moment.dayMicroseconds
            dayNumber &+= 1
        }
        setDate(dayNumber)
    }

    private mutating func setDate(_ dayNumber: Int64) {
        let shifted = Int(dayNumber) &+ 719_468
        let era = (shifted >= 0 ? shifted : shifted &- 146_096) / 146_097
        let dayOfEra = shifted &- era &* 146_097
        let yearOfEra = (dayOfEra &- dayOfEra / 1460 &+ dayOfEra / 36_524 &- dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra &- (365 &* yearOfEra &+ yearOfEra / 4 &- yearOfEra / 100)
        let monthFromMarch = (5 &* dayOfYear &+ 2) / 153
        day = dayOfYear &- (153 &* monthFromMarch &+ 2) / 5 &+ 1
        month = monthFromMarch < 10 ? monthFromMarch &+ 3 : monthFromMarch &- 9
        year = yearOfEra &+ era &* 400 &+ (month <= 2 ? 1 : 0)
    }
}

/// Reads a cell's text from left to right, never beyond its end.
struct TextCursor {
    private let text: UnsafePointer<UInt8>
    private let count: Int
    private(set) var index = 0

    init(_ text: UnsafePointer<UInt8>, _ count: Int) {
        self.text = text
        self.count = count
    }

    var atEnd: Bool { index == count }
    var next: UInt8 { index < count ? text[index] : 0 }

    mutating func accept(_ byte: UInt8) -> Bool {
        guard index < count, text[index] == byte else { return false }
        index &+= 1
        return true
    }

    mutating func expect(_ byte: UInt8) throws(CellFailure) { if !accept(byte) { throw .malformed } }

    mutating func skip() { if index < count { index &+= 1 } }

    /// Exactly two digits.
    @inline(__always)
    mutating func two() throws(CellFailure) -> Int {
        guard index &+ 2 <= count else { throw .malformed }
        let high = text[index] &- 0x30
        let low = text[index &+ 1] &- 0x30
        guard high <= 9, low <= 9 else { throw .malformed }
        index &+= 2
        return Int(high) &* 10 &+ Int(low)
    }

    /// One to `maxDigits` digits.
    mutating func number(maxDigits: Int) throws(CellFailure) -> Int {
        var value = 0
        let first = index
        while index < count, text[index] &- 0x30 <= 9 {
            value = value &* 10 &+ Int(text[index] &- 0x30)
            index &+= 1
            if index &- first > maxDigits { throw .malformed }
        }
        if index == first { throw .malformed }
        return value
    }

    /// Up to six digits after a point, as microseconds.
    mutating func fraction() throws(CellFailure) -> Int64 {
        let first = index
        var value = Int64(try number(maxDigits: 6))
        for _ in (index &- first)..<6 { value = value &* 10 }
        return value
    }
}
