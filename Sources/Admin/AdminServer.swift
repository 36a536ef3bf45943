import Glibc
import MicroHTTPD
import Synchronization

/// What a route answers.
public struct AdminResponse: Sendable, Equatable {
    /// The HTTP status: 200, 404, 503.
    public var status: Int
    /// The media type of the body.
    public var contentType: String
    /// The body, UTF-8.
    public var body: String

    /// An answer.
    public init(status: Int = 200, contentType: String = "text/plain; charset=utf-8", body: String) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    /// An answer in JSON.
    public static func json(status: Int = 200, _ body: String) -> AdminResponse {
        AdminResponse(status: status, contentType: "application/json; charset=utf-8", body: body)
    }

    /// The path is not known.
    public static let notFound = AdminResponse(status: 404, body: "not found\n")
}

/// The admin endpoint: libmicrohttpd on a thread of its own, which reads requests and calls the routes one after the other.
///
/// Only GET and HEAD; other methods get 405. At most `connectionsMax` connections, each closed after `idleSecondsMax` without traffic.
public final class AdminServer: Sendable {
    /// Connections at once; further ones are closed at once.
    public static let connectionsMax = 64
    /// Seconds that a connection may be silent.
    public static let idleSecondsMax = 10
    /// Bytes of a request's line and headers.
    static let requestBytesMax = 16 << 10

    /// Where it listens; with port 0 configured, the port that was chosen.
    public let address: AdminAddress
    private let routes: RouteTable
    private let daemon: Mutex<DaemonHandle?>

    /// Listens and serves from now on.
    /// - Parameter routes: path without query → answer, nil for an unknown one. Called on the server's thread; must not block for long.
    /// - Throws: `AdminError`: `taken` when another process listens there; else `system`, `resolve` or `daemon`.
    public init(listen: AdminAddress, routes: @escaping @Sendable (String) -> AdminResponse?) throws(AdminError) {
        let socket = try ListeningSocket(listen)
        let table = RouteTable(answer: routes)
        guard let handle = DaemonHandle.start(on: socket.descriptor, table) else {
            close(socket.descriptor)
            Self.removeSocket(socket.address)
            throw AdminError(.daemon, at: listen.description, "the HTTP server did not start; are there too many open files or threads?")
        }
        self.routes = table
        address = socket.address
        daemon = Mutex(handle)
    }

    deinit { stop() }

    /// Closes the socket and all connections, and waits for the thread to end; an answer under way is cut. Further calls do nothing.
    /// Not from within a route.
    public func stop() {
        guard let handle = daemon.withLock({ $0.take() }) else { return }
        handle.stop()
        Self.removeSocket(address)
    }

    private static func removeSocket(_ address: AdminAddress) {
        // Nothing is lost when it stays: the next start removes it.
        if case .unix(let path) = address { unlink(path) }
    }
}

/// What the library's thread sees of the server.
final class RouteTable: Sendable {
    private let find: @Sendable (String) -> AdminResponse?

    init(answer: @escaping @Sendable (String) -> AdminResponse?) { find = answer }

    func answer(method: String, path: String) -> AdminResponse {
        guard method == "GET" || method == "HEAD" else { return AdminResponse(status: 405, body: "only GET and HEAD\n") }
        return find(path) ?? .notFound
    }
}
