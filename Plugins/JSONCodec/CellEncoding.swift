/// How one column's text becomes JSON. Decided at bind, acted on in `CellWriter`.
enum CellEncoding: UInt8 {
    case text
    case boolean
    case integer
    /// The server's own digits.
    case float
    /// Java's form of a float4, a float8, a numeric.
    case float4, float8, decimalDouble
    case decimal, variableScaleDecimal
    /// A numeric's digits, quoted, or (in headers) not.
    case decimalText, decimalNumber
    case money, moneyText, moneyDouble, moneyNumber
    /// `bytea`, in the column's binary form.
    case bytes
    /// The text itself as bytes: types that Debezium does not know.
    case opaque
    case bits, bit
    case date, isoDate
    case time, isoTime
    case timestamp, isoTimestamp, timestampText
    /// A timestamp with time zone: with as many digits as the column has, or as needed.
    case zonedTimestamp, zonedTimestampText
    case interval, isoInterval
    /// A document as itself.
    case json
    case array
    /// `int2vector`, `oidvector`: numbers between spaces.
    case vector
    case point
    /// `hstore`, as a string that holds a JSON object.
    case hstoreText
}

/// What the writer needs to know of one column.
struct ColumnPlan {
    var encoding = CellEncoding.text
    /// Of an array's elements.
    var element = CellEncoding.text
    var unit = TimeUnit.microseconds
    var binary = BinaryText.base64
    /// Of a numeric, or the digits behind a second.
    var scale: Int32 = 0
    /// Between an array's elements.
    var delimiter = UInt8(ascii: ",")
    /// `,"name":` in front of the value.
    var name: Fragment
    /// In place of a value that the server did not send.
    var placeholder: Fragment
    /// The name alone, quoted.
    var quotedName: Fragment
}
