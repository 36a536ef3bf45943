import Glibc

/// One address that a socket can be bound or connected to, as bytes of its own.
struct SocketAddress {
    let family: Int32
    /// Stream, closed on exec.
    let socketType = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    let transport: Int32
    private let bytes: [UInt8]

    init(family: Int32, transport: Int32, bytes: [UInt8]) {
        self.family = family
        self.transport = transport
        self.bytes = bytes
    }

    /// - Parameter path: at most `AdminAddress.unixPathMax` bytes; longer ones are cut.
    init(unixPath path: String) {
        var raw = sockaddr_un()
        raw.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &raw.sun_path) { $0.copyBytes(from: path.utf8.prefix(AdminAddress.unixPathMax)) }
        self.init(family: AF_UNIX, transport: 0, bytes: withUnsafeBytes(of: &raw) { Array($0) })
    }

    /// The address as bind and connect take it, valid inside `body`.
    func withPointer(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        // A copy in storage that is aligned for every family.
        var storage = sockaddr_storage()
        return withUnsafeMutableBytes(of: &storage) { buffer in
            buffer.copyBytes(from: bytes.prefix(buffer.count))
            guard let base = buffer.baseAddress else { return -1 }
            return body(UnsafePointer(base.assumingMemoryBound(to: sockaddr.self)), socklen_t(bytes.count))
        }
    }
}

/// What a host name and port stand for, in the system's order of preference.
struct SocketAddresses {
    let all: [SocketAddress]

    init(_ address: AdminAddress, host: String, port: UInt16, passive: Bool) throws(AdminError) {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV | (passive ? AI_PASSIVE : 0)
        var found: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(host, String(port), &hints, &found)
        guard result == 0 else {
            throw AdminError(.resolve, at: address.description, "the host is not known: \(String(cString: gai_strerror(result)))")
        }
        defer { freeaddrinfo(found) }
        var all: [SocketAddress] = []
        var next = found
        while let entry = next?.pointee {
            if let raw = entry.ai_addr {
                let bytes = Array(UnsafeRawBufferPointer(start: raw, count: Int(entry.ai_addrlen)))
                all.append(SocketAddress(family: entry.ai_family, transport: entry.ai_protocol, bytes: bytes))
            }
            next = entry.ai_next
        }
        self.all = all
    }
}
