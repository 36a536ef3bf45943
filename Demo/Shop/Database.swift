import Glibc
import LibPQ

/// A position in the server's write-ahead log.
struct LSN: Comparable, CustomStringConvertible {
    var value: UInt64

    init(value: UInt64) { self.value = value }

    /// Reads PostgreSQL's own form, as in 0/16B2D50.
    init?(_ text: String) {
        let halves = text.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2, let high = UInt32(halves[0], radix: 16), let low = UInt32(halves[1], radix: 16) else { return nil }
        value = UInt64(high) << 32 | UInt64(low)
    }

    var description: String { "\(String(value >> 32, radix: 16, uppercase: true))/\(String(value & 0xffff_ffff, radix: 16, uppercase: true))" }
    static func < (left: LSN, right: LSN) -> Bool { left.value < right.value }
}

/// One connection to PostgreSQL. Main thread only.
final class Database {
    /// The rows of the last statement, as text; NULL is nil.
    typealias Rows = [[String?]]

    private let connection: OpaquePointer

    /// Connects.
    /// - Throws: `ShopError` with libpq's words, which name server and database but no password.
    init(_ connectionString: String, timeoutSeconds: Int = 10) throws(ShopError) {
        let keywords = ["dbname", "connect_timeout", "application_name", "client_encoding"]
        let values = [connectionString, "\(timeoutSeconds)", "shop-demo", "UTF8"]
        var keywordList: [UnsafePointer<CChar>?] = keywords.map { UnsafePointer(strdup($0)) } + [nil]
        var valueList: [UnsafePointer<CChar>?] = values.map { UnsafePointer(strdup($0)) } + [nil]
        defer { for text in keywordList + valueList { free(UnsafeMutablePointer(mutating: text)) } }
        guard let handle = PQconnectdbParams(&keywordList, &valueList, 1) else { throw ShopError("libpq gave no connection") }
        guard PQstatus(handle) == CONNECTION_OK else {
            let why = PQerrorMessage(handle).map { String(cString: $0) } ?? ""
            PQfinish(handle)
            throw ShopError("PostgreSQL cannot be reached: \(OneLine.of(why))")
        }
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        connection = handle
    }

    deinit { PQfinish(connection) }

    /// Which server and database, for people.
    var place: String {
        let host = PQhost(connection).map { String(cString: $0) } ?? ""
        let database = PQdb(connection).map { String(cString: $0) } ?? ""
        return "database \(database) at \(host)"
    }

    /// Runs statements and gives the rows of the last one.
    /// - Throws: `ShopError` with the server's message, without its DETAIL, which may hold values.
    @discardableResult
    func run(_ statements: String) throws(ShopError) -> Rows {
        guard let result = PQexec(connection, statements) else { throw ShopError("PostgreSQL: \(lastMessage)") }
        defer { PQclear(result) }
        let status = PQresultStatus(result)
        guard status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY else {
            let primary = PQresultErrorField(result, Int32(UInt8(ascii: "M"))).map { String(cString: $0) } ?? lastMessage
            throw ShopError("PostgreSQL: \(OneLine.of(primary))")
        }
        return (0..<PQntuples(result)).map { row in
            (0..<PQnfields(result)).map { column in
                PQgetisnull(result, row, column) != 0 ? nil : PQgetvalue(result, row, column).map { String(cString: $0) }
            }
        }
    }

    /// The first column of the first row.
    func value(_ statements: String) throws(ShopError) -> String? {
        let rows = try run(statements)
        return rows.first?.first ?? nil
    }

    private var lastMessage: String { OneLine.of(PQerrorMessage(connection).map { String(cString: $0) } ?? "no answer") }
}

/// A library's message as one line.
enum OneLine {
    static func of(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).map { $0.drop(while: \.isWhitespace) }.joined(separator: "; ")
    }
}
