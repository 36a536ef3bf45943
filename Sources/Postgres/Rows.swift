internal import LibPQ

/// The text result of a query, copied out of libpq.
public struct Rows: Sendable, RandomAccessCollection {
    /// One row: values by position or by column name.
    public struct Row: Sendable {
        /// The values in the order of the query; nil is SQL's null.
        public let values: [String?]
        fileprivate let names: [String]

        /// The value at a position; nil for null and for a position that does not exist.
        public subscript(_ index: Int) -> String? { values.indices.contains(index) ? values[index] : nil }
        /// The value of a column; nil for null and for a name that does not exist.
        public subscript(_ name: String) -> String? { names.firstIndex(of: name).flatMap { values[$0] } }
        /// A boolean as PostgreSQL prints it; false for null.
        public func bool(_ name: String) -> Bool { self[name] == "t" }
        /// An integer; nil where the value is null or none.
        public func integer<I: FixedWidthInteger>(_ name: String) -> I? { self[name].flatMap { I($0) } }
    }

    /// The columns' names.
    public let names: [String]
    /// The columns' types and modifiers; of a domain, what stands behind it.
    public let types: [ResultType]
    private let values: [[String?]]

    /// The first position.
    public var startIndex: Int { 0 }
    /// One past the last position.
    public var endIndex: Int { values.count }
    /// The row at a position that exists.
    public subscript(_ index: Int) -> Row { Row(values: values[index], names: names) }

    init(_ result: OpaquePointer?) {
        let columns = Int(PQnfields(result))
        names = (0..<Int32(columns)).map { PQfname(result, $0).map { String(cString: $0) } ?? "" }
        types = (0..<Int32(columns)).map { ResultType(oid: PQftype(result, $0), typmod: PQfmod(result, $0)) }
        values = (0..<PQntuples(result)).map { row in
            (0..<Int32(columns)).map { column in
                guard PQgetisnull(result, row, column) == 0, let value = PQgetvalue(result, row, column) else { return nil }
                return String(cString: value)
            }
        }
    }

    init() {
        names = []
        types = []
        values = []
    }
}

/// The type of a column of a result.
public struct ResultType: Sendable, Equatable {
    /// Never a domain's.
    public var oid: UInt32
    /// -1: none.
    public var typmod: Int32

    /// Of a result, or to be compared with one.
    public init(oid: UInt32, typmod: Int32) {
        self.oid = oid
        self.typmod = typmod
    }
}
