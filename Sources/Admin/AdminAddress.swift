/// Where the admin endpoint listens: `HOST:PORT`, `[IPv6]:PORT` or `unix:PATH`.
public enum AdminAddress: Sendable, Equatable, CustomStringConvertible {
    /// A name or number and a port; port 0 lets the system choose one.
    case tcp(host: String, port: UInt16)
    /// The path of a Unix socket.
    case unix(path: String)

    /// Longest path that fits `sockaddr_un`, without its zero byte.
    public static let unixPathMax = 107

    /// Reads an address as it is configured.
    /// - Throws: `AdminError` with the kind `address`, which says how one is written.
    public init(_ text: String) throws(AdminError) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst("unix:".count))
            guard !path.isEmpty, path.utf8.count <= Self.unixPathMax, !path.utf8.contains(0) else {
                throw AdminError(.address, at: text, "the path of a Unix socket has 1 to \(Self.unixPathMax) bytes")
            }
            self = .unix(path: path)
            return
        }
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw AdminError(.address, at: text, "write HOST:PORT with a port from 0 to 65535, or unix:PATH")
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw AdminError(.address, at: text, "write an IPv6 address in brackets: [::1]:9464")
        }
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw AdminError(.address, at: text, "the host is missing; 127.0.0.1 keeps the endpoint to this machine, 0.0.0.0 opens it to all")
        }
        self = .tcp(host: String(host), port: port)
    }

    /// As it is written in a configuration.
    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
