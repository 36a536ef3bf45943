internal import Glibc
internal import LibPQ

extension Connection {
    /// Finds what no later attempt can cure, without touching a server: words that libpq does not know, values that it refuses, a service that no
    /// file defines, ports that are none. Throws an error of kind `.settings`.
    public static func validate(_ connection: String) throws(PostgresError) {
        try ConnectionParameters(connection, ConnectionOptions()).validate()
    }
}

extension ConnectionParameters {
    /// No socket can ever be there.
    private static let nowhere = [("host", "/dev/null/nowhere"), ("port", "1")]
    /// A service file may hold addresses, which would be counted against the one host above: one of ours stands before them.
    private var address: [(String, String)] {
        keywords.contains { $0.name == "service" } || getenv("PGSERVICE") != nil ? [("hostaddr", "127.0.0.1")] : []
    }

    fileprivate func validate() throws(PostgresError) {
        if let complaint = portComplaint { throw PostgresError(.settings, doing: .connecting, what: "use source.connection", message: complaint) }
        // libpq tells a mistake in the options from a server that does not answer in this call only. So that no server is asked, there is none.
        let options = keywords.filter { !["host", "hostaddr", "port"].contains($0.name) } + Self.nowhere + address
        let names = options.map { strdup($0.0) }
        let values = options.map { strdup($0.1) }
        defer { (names + values).forEach { free($0) } }
        let (nameList, valueList) = (names.map { UnsafePointer($0) } + [nil], values.map { UnsafePointer($0) } + [nil])
        guard PQpingParams(nameList, valueList, 0) == PQPING_NO_ATTEMPT else { return }
        let handle = PQconnectStartParams(nameList, valueList, 0)
        defer { PQfinish(handle) }
        let text = PQerrorMessage(handle).map { String(cString: $0) } ?? ""
        throw PostgresError(
            .settings, doing: .connecting, what: "use source.connection", message: ErrorText.connection(text, secrets: secrets))
    }

    /// libpq looks at ports only when it connects.
    private var portComplaint: String? {
        func list(_ name: String) -> [Substring]? {
            keywords.first { $0.name == name && !$0.value.isEmpty }?.value.split(separator: ",", omittingEmptySubsequences: false)
        }
        guard let ports = list("port") else { return nil }
        for port in ports where !port.isEmpty {
            if let number = Int(port.filter { $0 != " " }), (1...65_535).contains(number) { continue }
            // Behind a password with : or @ in it that is not percent-encoded stands a piece of that.
            return port.allSatisfy(\.isNumber)
                ? "port \(port) is none; allowed is 1 to 65535"
                : "a port that is no number; allowed is 1 to 65535. In a URI, : / ? # @ inside a password are written %3A %2F %3F %23 %40"
        }
        guard ports.count > 1, let hosts = list("hostaddr") ?? list("host"), hosts.count != ports.count else { return nil }
        return "\(ports.count) ports for \(hosts.count) hosts; write one port for all hosts, or one for each"
    }
}
