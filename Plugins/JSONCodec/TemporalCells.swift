import PluginABI

/// What one step of an output number is.
enum TimeUnit: UInt8 {
    case milliseconds
    case microseconds
    case nanoseconds

    /// Microseconds in this unit, rounded down; nil where 64 bits do not hold them.
    func value(_ microseconds: Int64) -> Int64? {
        switch self {
        case .milliseconds:
            let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: 1000)
            return remainder < 0 ? quotient &- 1 : quotient
        case .microseconds: return microseconds
        case .nanoseconds:
            let (product, overflow) = microseconds.multipliedReportingOverflow(by: 1000)
            return overflow ? nil : product
        }
    }
}

// What Debezium sends for an infinite date or timestamp (measured).
private let futureDay: Int64 = -2_147_472_692
private let pastDay: Int64 = -2_147_472_691
private let futureMilliseconds: Int64 = 9_223_372_036_825_200
private let pastMilliseconds: Int64 = -9_223_372_036_832_400

extension RecordWriter {
    /// A date as days since 1970-01-01.
    mutating func date(_ text: UnsafePointer<UInt8>, _ count: Int) throws(CellFailure) {
        let moment = try Moment(date: text, count)
        switch moment.infinity {
        case .none: signed(moment.days)
        case .future: signed(futureDay)
        case .past: signed(pastDay)
        }
    }

    mutating func time(_ text: UnsafePointer<UInt8>, _ count: Int, _ unit: TimeUnit) throws(CellFailure) {
        guard let value = unit.value(try Moment(time: text, count).microseconds) else { throw .outOfRange }
        signed(value)
    }

    /// A timestamp since 1970-01-01. Beyond what 64 bits count in microseconds (the year 294247) it is the last moment that they do.
    mutating func timestamp(_ text: UnsafePointer<UInt8>, _ count: Int, _ unit: TimeUnit) throws(CellFailure) {
        let moment = try Moment(date: text, count)
        let future = moment.infinity == .future
        switch (moment.infinity, unit) {
        case (.none, .milliseconds):
            guard let value = unit.value(moment.microseconds) else { throw .outOfRange }
            signed(moment.days &* 86_400_000 &+ value)
        case (.none, .microseconds): signed(moment.epochMicroseconds ?? .max)
        case (.none, .nanoseconds):
            guard let microseconds = moment.epochMicroseconds, let value = unit.value(microseconds) else { throw .outOfRange }
            signed(value)
        case (_, .milliseconds): signed(future ? futureMilliseconds : pastMilliseconds)
        case (_, .microseconds): signed((future ? futureMilliseconds : pastMilliseconds) &* 1000)
        case (_, .nanoseconds): signed(future ? .max : .min)
        }
    }

    /// `2026-01-31Z`.
    mutating func isoDate(_ text: UnsafePointer<UInt8>, _ count: Int) throws(CellFailure) {
        let moment = try Moment(date: text, count)
        if infinite(moment) { return }
        byte(UInt8(ascii: "\""))
        calendarDate(moment)
        put(#"Z""#)
    }

    /// `12:34:56.5Z`; an offset is taken off, and what that moves to another day wraps round.
    mutating func isoTime(_ text: UnsafePointer<UInt8>, _ count: Int) throws(CellFailure) {
        var moment = try Moment(time: text, count)
        moment.normalize()
        byte(UInt8(ascii: "\""))
        clock(moment.microseconds, digits: nil)
        put(#"Z""#)
    }

    /// `2026-01-31T12:34:56.123456Z`.
    ///
    /// - Parameter digits: how many follow the second; nil: as many as needed.
    mutating func isoTimestamp(_ text: UnsafePointer<UInt8>, _ count: Int, digits: Int?) throws(CellFailure) {
        if commonTimestamp(text, count, digits) { return }
        var moment = try Moment(date: text, count)
        if infinite(moment) { return }
        if moment.offset != 0 || moment.microseconds >= Moment.dayMicroseconds { moment.normalize() }
        byte(UInt8(ascii: "\""))
        calendarDate(moment)
        byte(UInt8(ascii: "T"))
        clock(moment.microseconds, digits: digits)
        put(#"Z""#)
    }

    /// The form that nearly all have, four digits of year and UTC: copied piece by piece. False, with nothing written, for any other.
    @inline(__always)
    private mutating func commonTimestamp(_ text: UnsafePointer<UInt8>, _ count: Int, _ digits: Int?) -> Bool {
        guard count >= 19, count <= 32 else { return false }
        var end = count
        if text[count &- 3] == UInt8(ascii: "+") {
            guard text[count &- 2] == 0x30, text[count &- 1] == 0x30 else { return false }
            end &-= 3
        }
        guard end == 19 || (end >= 21 && end <= 26 && text[19] == UInt8(ascii: ".")) else { return false }
        // YYYY-MM-DD HH:MM:SS, three words of it looked at at once; 24:00:00 and seconds of 60 do not occur in timestamps.
        let first = load64(text)
        let second = load64(text + 8)
        let third = load64(text + 11)
        guard first & 0xff00_00ff_0000_0000 == 0x2d00_002d_0000_0000, digitPairs(first, 0x00ff_ff00_ffff_ffff),
            text[10] == UInt8(ascii: " "),
            third & 0x0000_ff00_00ff_0000 == 0x0000_3a00_003a_0000, digitPairs(third, 0xffff_00ff_ff00_ffff),
            digitPairs(UInt64(text[8]) | UInt64(text[9]) &<< 8, 0xffff)
        else { return false }
        var fraction = 20
        while fraction < end {
            if text[fraction] &- 0x30 > 9 { return false }
            fraction &+= 1
        }
        var out = cursor
        out[0] = UInt8(ascii: "\"")
        UnsafeMutableRawPointer(out + 1).storeBytes(of: first.littleEndian, as: UInt64.self)
        UnsafeMutableRawPointer(out + 9).storeBytes(of: second.littleEndian, as: UInt64.self)
        UnsafeMutableRawPointer(out + 12).storeBytes(of: third.littleEndian, as: UInt64.self)
        out[11] = UInt8(ascii: "T")
        out += 20
        let have = max(end &- 20, 0)
        let wanted = digits ?? have
        if wanted > 0 {
            out[0] = UInt8(ascii: ".")
            for index in 0..<wanted { out[1 &+ index] = index < have ? text[20 &+ index] : 0x30 }
            out += 1 + wanted
        }
        out[0] = UInt8(ascii: "Z")
        out[1] = UInt8(ascii: "\"")
        cursor = out + 2
        return true
    }

    /// PostgreSQL's own text of a timestamp with a T between date and time.
    mutating func timestampText(_ text: UnsafePointer<UInt8>, _ count: Int) throws(CellFailure) {
        guard count <= 64 else { throw .malformed }
        let start = self.count
        try quoted(text, count)
        if count > 10 {
            let inside = emitter.pointee.base + start + 1
            var index = 4
            while index < count, inside[index] != UInt8(ascii: " ") { index &+= 1 }
            if index < count { inside[index] = UInt8(ascii: "T") }
        }
    }

    /// The same of a timestamp with time zone, its `+00` as Z, so that both look alike in any year: `0044-03-15T11:00:00Z BC`.
    mutating func zonedTimestampText(_ text: UnsafePointer<UInt8>, _ count: Int) throws(CellFailure) {
        let end = count > 3 && text[count &- 1] == UInt8(ascii: "C") ? count &- 3 : count
        let isUTC = end > 19 && text[end &- 3] == UInt8(ascii: "+") && text[end &- 2] == 0x30 && text[end &- 1] == 0x30
        guard isUTC, !commonTimestamp(text, count, nil) else {
            // Other offsets, which only a stage puts there, and infinity.
            if !isUTC { try isoTimestamp(text, count, digits: nil) }
            return
        }
        _ = try Moment(date: text, count)
        try timestampText(text, end &- 3)
        cursor -= 1
        byte(UInt8(ascii: "Z"))
        if end < count { put(" BC") }
        byte(UInt8(ascii: "\""))
    }

    private mutating func infinite(_ moment: Moment) -> Bool {
        switch moment.infinity {
        case .none: return false
        case .future: put(#""infinity""#)
        case .past: put(#""-infinity""#)
        }
        return true
    }

    private mutating func calendarDate(_ moment: Moment) {
        if moment.year < 0 { byte(UInt8(ascii: "-")) } else if moment.year > 9999 { byte(UInt8(ascii: "+")) }
        padded(Int(moment.year.magnitude), width: 4)
        byte(UInt8(ascii: "-"))
        padded(moment.month, width: 2)
        byte(UInt8(ascii: "-"))
        padded(moment.day, width: 2)
    }

    private mutating func clock(_ microseconds: Int64, digits: Int?) {
        let (seconds, fraction) = Int(microseconds).quotientAndRemainder(dividingBy: 1_000_000)
        padded(seconds / 3600, width: 2)
        byte(UInt8(ascii: ":"))
        padded(seconds / 60 % 60, width: 2)
        byte(UInt8(ascii: ":"))
        padded(seconds % 60, width: 2)
        self.fraction(fraction, digits: digits)
    }

    /// Microseconds as a fraction of a second, point included.
    mutating func fraction(_ microseconds: Int, digits: Int?) {
        var kept = microseconds
        var width = 6
        if let digits {
            width = digits
            for _ in digits..<6 { kept /= 10 }
        } else {
            while width > 0, kept % 10 == 0 {
                kept /= 10
                width &-= 1
            }
        }
        if width > 0 {
            byte(UInt8(ascii: "."))
            padded(kept, width: width)
        }
    }
}

/// Whether the bytes of `word` under `mask` are decimal digits.
@inline(__always)
private func digitPairs(_ word: UInt64, _ mask: UInt64) -> Bool {
    let high: UInt64 = 0xf0f0_f0f0_f0f0_f0f0 & mask
    let zeros: UInt64 = 0x3030_3030_3030_3030 & mask
    return word & high == zeros && ((word & mask) &+ (0x0606_0606_0606_0606 & mask)) & high == zeros
}
