import Glibc

/// A connection with one deadline over all that is done with it.
struct ClientConnection {
    private let descriptor: Int32
    private let address: AdminAddress
    private let deadline: ContinuousClock.Instant

    init(_ address: AdminAddress, deadline: ContinuousClock.Instant) throws(AdminError) {
        self.address = address
        self.deadline = deadline
        let candidates: [SocketAddress]
        switch address {
        case .tcp(let host, let port): candidates = try SocketAddresses(address, host: host, port: port, passive: false).all
        case .unix(let path): candidates = [SocketAddress(unixPath: path)]
        }
        var failure = AdminError.system("connect", at: address, code: ECONNREFUSED)
        for candidate in candidates {
            let descriptor = socket(candidate.family, candidate.socketType | nonBlocking, candidate.transport)
            guard descriptor >= 0 else { throw .system("socket", at: address, code: errno) }
            do throws(AdminError) {
                try Self.connect(descriptor, to: candidate, address, deadline)
                self.descriptor = descriptor
                return
            } catch {
                close(descriptor)
                failure = error
            }
        }
        throw failure
    }

    /// Closes it.
    func end() { close(descriptor) }

    func send(_ bytes: [UInt8]) throws(AdminError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if sent > 0 {
                rest = rest.dropFirst(sent)
            } else {
                try retry(errno, "send", for: Int16(POLLOUT))
            }
        }
    }

    /// Everything until the other side closes.
    func receiveAll(limit: Int) throws(AdminError) -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count == 0 { return all }
            if count < 0 {
                try retry(errno, "receive", for: Int16(POLLIN))
                continue
            }
            guard all.count + count <= limit else {
                throw AdminError(.answer, at: address.description, "the answer is longer than \(limit) bytes")
            }
            all.append(contentsOf: buffer[..<count])
        }
    }

    private func retry(_ code: Int32, _ operation: String, for events: Int16) throws(AdminError) {
        if code == EINTR { return }
        guard code == EAGAIN else { throw .system(operation, at: address, code: code) }
        try Self.wait(descriptor, events, address, deadline)
    }

    private static func connect(
        _ descriptor: Int32, to candidate: SocketAddress, _ address: AdminAddress, _ deadline: ContinuousClock.Instant
    ) throws(AdminError) {
        if candidate.withPointer({ Glibc.connect(descriptor, $0, $1) }) == 0 { return }
        guard errno == EINPROGRESS || errno == EINTR else { throw .system("connect", at: address, code: errno) }
        try wait(descriptor, Int16(POLLOUT), address, deadline)
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
        guard code == 0 else { throw .system("connect", at: address, code: code) }
    }

    private static func wait(
        _ descriptor: Int32, _ events: Int16, _ address: AdminAddress, _ deadline: ContinuousClock.Instant
    ) throws(AdminError) {
        while true {
            let (seconds, attoseconds) = (deadline - ContinuousClock.now).components
            let milliseconds = seconds.multipliedReportingOverflow(by: 1000).partialValue &+ attoseconds / 1_000_000_000_000_000
            guard milliseconds > 0 else {
                throw AdminError(.timeout, at: address.description, "no answer in time; the host hangs or is stopped", code: ETIMEDOUT)
            }
            var one = pollfd(fd: descriptor, events: events, revents: 0)
            let ready = poll(&one, 1, Int32(clamping: milliseconds))
            if ready > 0 { return }
            if ready < 0 && errno != EINTR { throw .system("poll", at: address, code: errno) }
        }
    }
}
