internal import Glibc
internal import LibPQ

/// One session with a server. Belongs to one thread at a time; only its `Interrupt` may be used from others.
///
/// Every call blocks until it is done, its deadline passes or the interrupt is raised. After an error of kind `.connection`, `.timeout`,
/// `.interrupted` or `.protocolViolation` the session is of no more use: drop it and connect anew.
public final class Connection {
    let handle: OpaquePointer
    let interrupt: Interrupt
    let options: ConnectionOptions
    let secrets: [String]
    /// The server's version as a number: 150018 for 15.18.
    public let serverVersion: Int
    /// The database that the session is in.
    public let database: String
    /// Process id of the server's side.
    public let backendPID: Int32

    /// Connects by any libpq connection string or URI (services, password files, several hosts) and forces the session's settings.
    ///
    /// Name resolution happens inside libpq and is bounded by the resolver alone. Throws `PostgresError` with the SQLSTATE of a refused login.
    public init(connecting connection: String, options: ConnectionOptions = ConnectionOptions(), interrupt: Interrupt) throws(PostgresError) {
        let parameters = try ConnectionParameters(connection, options)
        let secrets = parameters.secrets
        let handle = try Login(parameters, options, interrupt).run()
        self.handle = handle
        self.interrupt = interrupt
        self.options = options
        self.secrets = secrets
        serverVersion = Int(PQserverVersion(handle))
        database = PQdb(handle).map { String(cString: $0) } ?? ""
        backendPID = PQbackendPID(handle)
        PQsetNoticeReceiver(handle, { _, _ in }, nil)
        guard PQsetnonblocking(handle, 1) == 0 else { throw broken("prepare the connection", doing: .connecting) }
        try execute(SessionSettings.commands(serverVersion: serverVersion), doing: .connecting, what: "set up the session")
    }

    deinit { PQfinish(handle) }

    /// The file descriptor of the socket, -1 once the link is gone.
    var socket: Int32 { PQsocket(handle) }

    /// The server's host as libpq reached it; a directory for a Unix socket.
    public var host: String { PQhost(handle).map { String(cString: $0) } ?? "" }

    /// The server's port.
    public var port: String { PQport(handle).map { String(cString: $0) } ?? "" }

    /// The role of the session.
    public var user: String { PQuser(handle).map { String(cString: $0) } ?? "" }

    /// Whether the link is encrypted.
    public var isEncrypted: Bool { PQsslInUse(handle) != 0 }

    /// Whether the server is on this machine: a Unix socket or a loopback address.
    public var isLocal: Bool {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(socket, $0, &length) }
        }
        guard status == 0 else { return false }
        switch Int32(address.ss_family) {
        case AF_UNIX: return true
        case AF_INET:
            return withUnsafeBytes(of: &address) { $0[4] == 127 }
        case AF_INET6:
            return withUnsafeBytes(of: &address) { raw in
                let bytes = raw[8..<24]
                let mapped = bytes.prefix(10).allSatisfy { $0 == 0 } && raw[18] == 0xFF && raw[19] == 0xFF && raw[20] == 127
                return mapped || (bytes.dropLast().allSatisfy { $0 == 0 } && raw[23] == 1)
            }
        default: return false
        }
    }

    /// Whether the link speaks TCP.
    var isTCP: Bool {
        var family: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &family, &length) == 0 && family != AF_UNIX
    }

    /// `sslmode` as it was in force: the user's, or libpq's default.
    public var sslMode: String {
        guard let all = PQconninfo(handle) else { return "" }
        defer { PQconninfoFree(all) }
        var entry = all
        while let name = entry.pointee.keyword {
            if strcmp(name, "sslmode") == 0 { return entry.pointee.val.map { String(cString: $0) } ?? "" }
            entry += 1
        }
        return ""
    }

    /// An error that says that the link broke, with libpq's reason.
    func broken(_ what: String, doing: PostgresActivity) -> PostgresError {
        let text = PQerrorMessage(handle).map { String(cString: $0) } ?? ""
        let message = ErrorText.connection(text, secrets: secrets)
        return PostgresError(.connection, doing: doing, what: what, message: message.isEmpty ? "the connection is gone" : message)
    }
}
