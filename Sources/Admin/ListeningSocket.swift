import Glibc

/// A socket that listens, made here and not by the HTTP library, so that the reason of a failure is known exactly.
struct ListeningSocket {
    private static let backlog: Int32 = 64

    let descriptor: Int32
    /// Where it really listens: the port is chosen.
    let address: AdminAddress

    init(_ address: AdminAddress) throws(AdminError) {
        switch address {
        case .tcp(let host, let port):
            descriptor = try Self.listenTCP(address, host: host, port: port)
            self.address = .tcp(host: host, port: Self.port(of: descriptor) ?? port)
        case .unix(let path):
            descriptor = try Self.listenUnix(address, path: path)
            self.address = address
        }
    }

    private static func listenTCP(_ address: AdminAddress, host: String, port: UInt16) throws(AdminError) -> Int32 {
        let candidates = try SocketAddresses(address, host: host, port: port, passive: true)
        var failure = AdminError.system("listen", at: address, code: EADDRNOTAVAIL)
        for candidate in candidates.all {
            let descriptor = socket(candidate.family, candidate.socketType | nonBlocking, candidate.transport)
            guard descriptor >= 0 else {
                failure = .system("socket", at: address, code: errno)
                continue
            }
            var yes: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
            if candidate.withPointer({ bind(descriptor, $0, $1) }) == 0 && listen(descriptor, backlog) == 0 { return descriptor }
            failure = .system("listen", at: address, code: errno)
            close(descriptor)
        }
        throw failure
    }

    private static func listenUnix(_ address: AdminAddress, path: String) throws(AdminError) -> Int32 {
        try removeStale(address, path: path)
        let candidate = SocketAddress(unixPath: path)
        let descriptor = socket(AF_UNIX, candidate.socketType | nonBlocking, 0)
        guard descriptor >= 0 else { throw .system("socket", at: address, code: errno) }
        // Nobody can connect before listen, so the mode is right from the first moment on.
        guard candidate.withPointer({ bind(descriptor, $0, $1) }) == 0, chmod(path, 0o600) == 0, listen(descriptor, backlog) == 0 else {
            let code = errno
            close(descriptor)
            throw .system("listen", at: address, code: code)
        }
        return descriptor
    }

    /// Removes the socket of a process that is gone; one that answers, and anything that is no socket, stays.
    private static func removeStale(_ address: AdminAddress, path: String) throws(AdminError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw AdminError(.taken, at: address.description, "a file that is no socket is there; move it away", code: EEXIST)
        }
        let candidate = SocketAddress(unixPath: path)
        let descriptor = socket(AF_UNIX, candidate.socketType, 0)
        guard descriptor >= 0 else { throw .system("socket", at: address, code: errno) }
        defer { close(descriptor) }
        if candidate.withPointer({ connect(descriptor, $0, $1) }) == 0 { throw .system("listen", at: address, code: EADDRINUSE) }
        guard errno == ECONNREFUSED else { throw .system("connect", at: address, code: errno) }
        guard unlink(path) == 0 || errno == ENOENT else { throw .system("remove the stale socket", at: address, code: errno) }
    }

    private static func port(of descriptor: Int32) -> UInt16? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard result == 0 else { return nil }
        let family = Int32(storage.ss_family)
        return withUnsafeBytes(of: &storage) { bytes in
            switch family {
            case AF_INET: UInt16(bigEndian: bytes.loadUnaligned(as: sockaddr_in.self).sin_port)
            case AF_INET6: UInt16(bigEndian: bytes.loadUnaligned(as: sockaddr_in6.self).sin6_port)
            default: nil
            }
        }
    }
}

/// `SOCK_NONBLOCK`, which the importer shows as an enumeration.
let nonBlocking = Int32(SOCK_NONBLOCK.rawValue)
