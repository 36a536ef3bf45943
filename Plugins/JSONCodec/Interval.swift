/// An interval under IntervalStyle postgres: `1 year 2 mons -3 days +04:05:06.789`.
struct Interval {
    var years: Int64 = 0
    var months: Int64 = 0
    var days: Int64 = 0
    var microseconds: Int64 = 0

    /// Of one twelfth of 365.25 days.
    private static let monthMicroseconds: Int64 = 2_629_800_000_000

    init(_ text: UnsafePointer<UInt8>, _ count: Int) throws(CellFailure) {
        var cursor = TextCursor(text, count)
        if cursor.atEnd { throw .malformed }
        while !cursor.atEnd {
            let negative = cursor.accept(UInt8(ascii: "-"))
            if !negative { _ = cursor.accept(UInt8(ascii: "+")) }
            let value = Int64(try cursor.number(maxDigits: 18))
            if cursor.accept(UInt8(ascii: ":")) {
                let minutes = Int64(try cursor.two())
                try cursor.expect(UInt8(ascii: ":"))
                let seconds = Int64(try cursor.two())
                let fraction = cursor.accept(UInt8(ascii: ".")) ? try cursor.fraction() : 0
                // PostgreSQL's time part fits 64 bits of microseconds.
                let (hours, overflow) = value.multipliedReportingOverflow(by: 3_600_000_000)
                if overflow || value > 2_562_047_788 { throw .malformed }
                let (total, tooLarge) = hours.addingReportingOverflow((minutes &* 60 &+ seconds) &* 1_000_000 &+ fraction)
                if tooLarge {
                    guard negative else { throw .malformed }
                    microseconds = .min
                } else {
                    microseconds = negative ? 0 &- total : total
                }
            } else {
                try cursor.expect(UInt8(ascii: " "))
                let signed = negative ? 0 &- value : value
                switch cursor.next {
                case UInt8(ascii: "y"): years = signed
                case UInt8(ascii: "m"): months = signed
                case UInt8(ascii: "d"): days = signed
                default: throw .malformed
                }
                while !cursor.atEnd, cursor.next != UInt8(ascii: " ") { cursor.skip() }
            }
            if !cursor.atEnd { try cursor.expect(UInt8(ascii: " ")) }
        }
    }

    /// All of it in microseconds, a month being 365.25/12 days; held at the ends of 64 bits.
    var totalMicroseconds: Int64 {
        let (monthCount, tooMany) = years.multipliedReportingOverflow(by: 12)
        let (allMonths, overflow) = monthCount.addingReportingOverflow(months)
        let negative = allMonths < 0 || (allMonths == 0 && days < 0)
        if tooMany || overflow { return years < 0 ? .min : .max }
        let monthPart = allMonths.multipliedFullWidth(by: Interval.monthMicroseconds)
        let dayPart = days.multipliedFullWidth(by: Moment.dayMicroseconds)
        // 128 bits by hand: low halves with carry.
        let (low, carry) = monthPart.low.addingReportingOverflow(dayPart.low)
        let high = monthPart.high &+ dayPart.high &+ (carry ? 1 : 0)
        let (sum, secondCarry) = low.addingReportingOverflow(UInt64(bitPattern: microseconds))
        let total = high &+ (microseconds < 0 ? -1 : 0) &+ (secondCarry ? 1 : 0)
        let value = Int64(bitPattern: sum)
        if total == value &>> 63 { return value }
        return total < 0 || (total == 0 && negative) ? .min : .max
    }
}

extension RecordWriter {
    mutating func intervalMicroseconds(_ text: UnsafePointer<UInt8>, _ count: Int) throws(CellFailure) {
        signed(try Interval(text, count).totalMicroseconds)
    }

    /// `P1Y2M3DT4H5M6.78S`, each part with its own sign.
    mutating func intervalISO(_ text: UnsafePointer<UInt8>, _ count: Int) throws(CellFailure) {
        let interval = try Interval(text, count)
        try room(160)
        put(#""P"#)
        signed(interval.years)
        byte(UInt8(ascii: "Y"))
        signed(interval.months)
        byte(UInt8(ascii: "M"))
        signed(interval.days)
        put("DT")
        let (seconds, fraction) = interval.microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        signed(seconds / 3600)
        byte(UInt8(ascii: "H"))
        signed(seconds / 60 % 60)
        byte(UInt8(ascii: "M"))
        if seconds % 60 == 0, fraction < 0 { byte(UInt8(ascii: "-")) }
        signed(seconds % 60)
        self.fraction(Int(fraction.magnitude), digits: nil)
        put(#"S""#)
    }
}
