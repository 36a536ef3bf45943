internal import Glibc
internal import LibPQ

/// A connection string taken apart into libpq's keywords, with the host's additions; passwords never become part of a joined string.
struct ConnectionParameters {
    private(set) var keywords: [(name: String, value: String)]

    /// Parses a connection string or URI. The parser's own message may repeat parts of the string, so it is not passed on.
    init(_ connection: String, _ options: ConnectionOptions) throws(PostgresError) {
        guard !connection.utf8.contains(0), let parsed = PQconninfoParse(connection, nil) else {
            throw PostgresError(
                .settings, doing: .connecting, what: "read source.connection",
                message: "it is neither a libpq connection string (host=… dbname=…) nor a URI (postgresql://user@host:port/database)")
        }
        defer { PQconninfoFree(parsed) }
        keywords = []
        var entry = parsed
        while let name = entry.pointee.keyword {
            if let value = entry.pointee.val { keywords.append((String(cString: name), String(cString: value))) }
            entry += 1
        }
        set("replication", options.replication ? "database" : "false")
        set("client_encoding", "UTF8")
        addDefault("fallback_application_name", options.applicationName)
        let silence = max(options.silenceTimeout.millisecondsClamped, 4_000)
        addDefault("keepalives", "1")
        addDefault("keepalives_idle", String(max(1, silence / 4_000)))
        addDefault("keepalives_interval", String(max(1, silence / 6_000)))
        addDefault("keepalives_count", "3")
        addDefault("tcp_user_timeout", String(silence))
    }

    /// The password, from the connection string or the environment, for redaction.
    var secrets: [String] {
        let own = keywords.filter { $0.name == "password" || $0.name == "sslpassword" }.map(\.value)
        let environment = getenv("PGPASSWORD").map { String(cString: $0) }
        return (own + [environment].compactMap { $0 }).filter { !$0.isEmpty }
    }

    /// How long one host may take: the user's own `connect_timeout` where there is one.
    func connectTimeout(_ options: ConnectionOptions) -> Duration {
        guard let own = keywords.first(where: { $0.name == "connect_timeout" }).flatMap({ Int64($0.value) }), own > 0 else {
            return options.connectTimeout
        }
        return .seconds(min(max(own, 2), 86_400))
    }

    /// The same settings without the first `count` hosts; nil where none is left. libpq gives a slow host up only in its blocking calls.
    func droppingHosts(_ count: Int) -> ConnectionParameters? {
        let lists = keywords.filter { $0.name == "host" || $0.name == "hostaddr" }.map {
            $0.value.split(separator: ",", omittingEmptySubsequences: false).count
        }
        guard let hosts = lists.max(), count > 0, count < hosts else { return nil }
        var rest = self
        for index in rest.keywords.indices where ["host", "hostaddr", "port"].contains(rest.keywords[index].name) {
            let parts = rest.keywords[index].value.split(separator: ",", omittingEmptySubsequences: false)
            if parts.count == hosts { rest.keywords[index].value = parts.dropFirst(count).joined(separator: ",") }
        }
        return rest
    }

    /// Calls libpq with the two arrays that it wants.
    func start() -> OpaquePointer? {
        let names = keywords.map { strdup($0.name) }
        let values = keywords.map { strdup($0.value) }
        defer { (names + values).forEach { free($0) } }
        return PQconnectStartParams(names.map { UnsafePointer($0) } + [nil], values.map { UnsafePointer($0) } + [nil], 0)
    }

    private mutating func set(_ name: String, _ value: String) {
        keywords.removeAll { $0.name == name }
        keywords.append((name, value))
    }

    private mutating func addDefault(_ name: String, _ value: String) {
        if !keywords.contains(where: { $0.name == name }) { keywords.append((name, value)) }
    }
}
