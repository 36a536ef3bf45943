import PluginABI
import PluginKit

extension RecordWriter {
    /// The value of a cell that has one. The common encodings are met first and inline.
    @inline(__always)
    mutating func cell(
        _ cell: UnsafePointer<cdcp_cell>, _ plan: UnsafePointer<ColumnPlan>, _ memory: UnsafeMutablePointer<Scratch>,
        _ quoted: UnsafeMutablePointer<Scratch>
    ) throws(CellFailure) {
        guard cell.pointee.format == UInt8(CDCP_FMT_TEXT) else { throw .binary }
        let count = Int(cell.pointee.len)
        let text = try RecordWriter.start(of: cell, plan)
        switch plan.pointee.encoding {
        case .text: try self.quoted(text, count)
        case .integer: try integerText(text, count)
        default:
            isRewritten = cell.pointee.flags & UInt16(CDCP_CELLF_REWRITTEN) != 0
            try value(text, count, plan.pointee.encoding, plan, memory, quoted)
        }
    }

    /// A cell's bytes; an empty value may come without a pointer, and any valid one serves.
    @inline(__always)
    static func start(of cell: UnsafePointer<cdcp_cell>, _ plan: UnsafePointer<ColumnPlan>) throws(CellFailure) -> UnsafePointer<UInt8> {
        if let start = cell.pointee.ptr { return start }
        guard cell.pointee.len == 0 else { throw .malformed }
        return UnsafePointer(plan.pointee.name.start)
    }

    /// Text in an encoding. At least `RecordWriter.cellRoom` bytes are there.
    @inline(never)
    mutating func value(
        _ text: UnsafePointer<UInt8>, _ count: Int, _ encoding: CellEncoding, _ plan: UnsafePointer<ColumnPlan>,
        _ memory: UnsafeMutablePointer<Scratch>, _ quoted: UnsafeMutablePointer<Scratch>
    ) throws(CellFailure) {
        switch encoding {
        case .text: try self.quoted(text, count)
        case .integer: try integerText(text, count)
        case .boolean:
            guard count > 0, text[0] == UInt8(ascii: "t") || text[0] == UInt8(ascii: "f") else { throw .malformed }
            put(text[0] == UInt8(ascii: "t") ? "true" : "false")
        case .float: try floatText(text, count)
        case .float4: try javaFloat(text, count, single: true)
        case .float8: try javaFloat(text, count, single: false)
        case .decimalDouble: try javaDecimal(text, count, scale: Int(plan.pointee.scale))
        case .decimal: try decimal(text, count, scale: Int(plan.pointee.scale), &memory.pointee)
        case .variableScaleDecimal: try variableScaleDecimal(text, count, &memory.pointee)
        case .decimalText: try decimalString(text, count, scale: Int(plan.pointee.scale))
        case .decimalNumber: try decimalText(text, count, scale: Int(plan.pointee.scale))
        case .money, .moneyText, .moneyDouble, .moneyNumber: try money(text, count, as: encoding)
        case .bytes: try bytea(text, count, as: plan.pointee.binary)
        case .opaque: try binary(text, count, as: plan.pointee.binary)
        case .bits: try bits(text, count, &memory.pointee)
        case .bit: try bit(text, count)
        case .date: try date(text, count)
        case .isoDate: try isoDate(text, count)
        case .time: try time(text, count, plan.pointee.unit)
        case .isoTime: try isoTime(text, count)
        case .timestamp: try timestamp(text, count, plan.pointee.unit)
        case .isoTimestamp: try isoTimestamp(text, count, digits: nil)
        case .zonedTimestampText: try zonedTimestampText(text, count)
        case .timestampText: try timestampText(text, count)
        case .zonedTimestamp: try isoTimestamp(text, count, digits: Int(plan.pointee.scale))
        case .interval: try intervalMicroseconds(text, count)
        case .isoInterval: try intervalISO(text, count)
        case .json: try document(text, count)
        case .array: try array(text, count, plan, memory, quoted)
        case .vector: try vector(text, count)
        case .point: try point(text, count)
        case .hstoreText: try hstore(text, count, &memory.pointee)
        }
    }

    /// Room that `value` may count on: what the longest of its fixed-size outputs takes.
    static let cellRoom = 64

    /// Decimals as strings; Debezium names the ones that are no numbers.
    private mutating func decimalString(_ text: UnsafePointer<UInt8>, _ count: Int, scale: Int) throws(CellFailure) {
        byte(UInt8(ascii: "\""))
        switch count > 0 ? text[count &- 1] : 0 {
        case UInt8(ascii: "N"): put("NAN")
        case UInt8(ascii: "y"): put(text[0] == UInt8(ascii: "-") ? "NEGATIVE_INFINITY" : "POSITIVE_INFINITY")
        default: try decimalText(text, count, scale: scale)
        }
        byte(UInt8(ascii: "\""))
    }

    /// A JSON document as itself, on one line: control characters can only stand between tokens, where a space says the same.
    private mutating func document(_ text: UnsafePointer<UInt8>, _ count: Int) throws(CellFailure) {
        guard count > 0 else { throw .malformed }
        try room(count)
        let start = cursor
        put(text, count)
        var index = 0
        var seen: UInt8 = 0
        while index < count {
            seen |= start[index]
            if start[index] < 0x20 { start[index] = 0x20 }
            index &+= 1
        }
        // The server's documents are JSON; a stage's may be anything, and would break the record around them.
        if isRewritten {
            guard JSONText.isOneLineValue(UnsafeRawBufferPointer(start: start, count: count)) else { throw .malformed }
        } else if seen & 0x80 != 0 {
            try checkUTF8(text, count)
        }
    }
}
