import Admin
import Glibc
import Testing

@Suite(.timeLimit(.minutes(1))) struct AdminServerTests {
    static func routes(_ path: String) -> AdminResponse? {
        switch path {
        case "/metrics": AdminResponse(body: "m 1\n")
        case "/readyz": .json(status: 503, "{\"ready\":false}\n")
        case "/large": AdminResponse(body: String(repeating: "0123456789", count: 500_000))
        default: nil
        }
    }

    /// What a plain socket gets for a plain request.
    static func exchange(_ address: AdminAddress, _ request: String) -> String {
        guard case .tcp(_, let port) = address else { return "" }
        let descriptor = connectedSocket(port)
        defer { close(descriptor) }
        _ = send(descriptor, request, request.utf8.count, Int32(MSG_NOSIGNAL))
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return String(decoding: all, as: UTF8.self) }
            all += buffer[..<count]
        }
    }

    static func connectedSocket(_ port: UInt16) -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        return descriptor
    }

    @Test func servesOverTCPOnThePortThatWasChosen() throws {
        let server = try AdminServer(listen: AdminAddress("127.0.0.1:0"), routes: Self.routes)
        defer { server.stop() }
        guard case .tcp(let host, let port) = server.address else { throw AdminError.unexpected }
        #expect(host == "127.0.0.1" && port != 0)
        let metrics = try AdminClient.get(server.address, path: "/metrics")
        #expect(metrics == (200, "m 1\n"))
        let ready = try AdminClient.get(server.address, path: "/readyz")
        #expect(ready == (503, "{\"ready\":false}\n"))
        let query = try AdminClient.get(server.address, path: "/metrics?name=x")
        #expect(query.status == 200)
        #expect(try AdminClient.get(server.address, path: "/nothing").status == 404)
        #expect(try AdminClient.get(server.address, path: "/large").body.utf8.count == 5_000_000)
    }

    @Test func servesOverAUnixSocketOfItsOwnerOnly() throws {
        let path = "/tmp/admin-test-\(UInt32.random(in: 0...UInt32.max)).sock"
        let address = try AdminAddress("unix:\(path)")
        let server = try AdminServer(listen: address, routes: Self.routes)
        var status = stat()
        #expect(lstat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        let answer = try AdminClient.get(server.address, path: "/metrics")
        #expect(answer == (200, "m 1\n"))
        // A second one does not steal the socket of the first.
        #expect { _ = try AdminServer(listen: address, routes: Self.routes) } throws: { ($0 as? AdminError)?.kind == .taken }
        #expect(try AdminClient.get(server.address, path: "/metrics").status == 200)
        server.stop()
        #expect(lstat(path, &status) != 0)
    }

    @Test func aStaleUnixSocketIsReplacedAndAFileIsNot() throws {
        let path = "/tmp/admin-stale-\(UInt32.random(in: 0...UInt32.max)).sock"
        defer { unlink(path) }
        var raw = sockaddr_un()
        raw.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &raw.sun_path) { $0.copyBytes(from: path.utf8) }
        let stale = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        _ = withUnsafePointer(to: &raw) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(stale, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        close(stale)
        let server = try AdminServer(listen: AdminAddress("unix:\(path)"), routes: Self.routes)
        #expect(try AdminClient.get(server.address, path: "/metrics").status == 200)
        server.stop()
        close(open(path, O_CREAT | O_WRONLY, 0o600))
        #expect { _ = try AdminServer(listen: AdminAddress("unix:\(path)"), routes: Self.routes) } throws: { ($0 as? AdminError)?.kind == .taken }
    }

    @Test func aTakenPortIsSaidSo() throws {
        let first = try AdminServer(listen: AdminAddress("127.0.0.1:0"), routes: Self.routes)
        defer { first.stop() }
        #expect { _ = try AdminServer(listen: first.address, routes: Self.routes) } throws: { error in
            guard let error = error as? AdminError else { return false }
            return error.kind == .taken && error.code == EADDRINUSE && error.description.contains("admin.listen")
        }
    }

    @Test(arguments: ["POST", "PUT", "DELETE", "OPTIONS"])
    func otherMethodsAreRefused(_ method: String) throws {
        let server = try AdminServer(listen: AdminAddress("127.0.0.1:0"), routes: Self.routes)
        defer { server.stop() }
        let answer = Self.exchange(server.address, "\(method) /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc")
        #expect(answer.hasPrefix("HTTP/1.1 405 "))
        #expect(answer.contains("Allow: GET, HEAD\r\n"))
    }

    @Test func headHasTheHeadersOnlyAndGarbageIsRefused() throws {
        let server = try AdminServer(listen: AdminAddress("127.0.0.1:0"), routes: Self.routes)
        defer { server.stop() }
        let head = Self.exchange(server.address, "HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        #expect(head.hasPrefix("HTTP/1.1 200 ") && head.contains("Content-Length: 4\r\n") && head.hasSuffix("\r\n\r\n"))
        guard case .tcp(_, let port) = server.address else { throw AdminError.unexpected }
        let garbage = Self.connectedSocket(port)
        _ = send(garbage, "\0\u{1}\u{2} garbage\r\n\r\n", 15, Int32(MSG_NOSIGNAL))
        close(garbage)
        let long = "GET /" + String(repeating: "a", count: 100_000) + " HTTP/1.1\r\n\r\n"
        #expect(!Self.exchange(server.address, long).hasPrefix("HTTP/1.1 200"))
        #expect(try AdminClient.get(server.address, path: "/metrics").status == 200)
    }

    @Test func stopsWhileClientsAreConnected() throws {
        let server = try AdminServer(listen: AdminAddress("127.0.0.1:0"), routes: Self.routes)
        guard case .tcp(_, let port) = server.address else { throw AdminError.unexpected }
        let clients = (0..<5).map { _ in Self.connectedSocket(port) }
        defer { clients.forEach { close($0) } }
        _ = send(clients[0], "GET /met", 8, Int32(MSG_NOSIGNAL))
        let start = ContinuousClock.now
        server.stop()
        server.stop()
        #expect(ContinuousClock.now - start < .seconds(5))
        #expect { _ = try AdminClient.get(server.address, path: "/metrics", timeout: .seconds(1)) } throws: {
            ($0 as? AdminError)?.code == ECONNREFUSED
        }
    }

    @Test func aSilentServerTimesOut() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        listen(listener, 1)
        var name = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &size) }
        }
        let address = AdminAddress.tcp(host: "127.0.0.1", port: UInt16(bigEndian: name.sin_port))
        #expect { _ = try AdminClient.get(address, path: "/metrics", timeout: .milliseconds(200)) } throws: { ($0 as? AdminError)?.kind == .timeout }
    }

    @Test(arguments: ["", "9464", "host:", "host:70000", ":9464", "::1:9464", "unix:", "unix:" + String(repeating: "x", count: 108)])
    func wrongAddressesAreRefused(_ text: String) {
        #expect { _ = try AdminAddress(text) } throws: { ($0 as? AdminError)?.kind == .address }
    }

    @Test(arguments: ["127.0.0.1:9464", "[::1]:0", "localhost:80", "unix:/run/x.sock"])
    func addressesRoundTrip(_ text: String) throws {
        #expect(try AdminAddress(text).description == text)
    }
}

extension AdminError {
    /// For tests that need a TCP address.
    static var unexpected: AdminError {
        do throws(AdminError) { _ = try AdminAddress("") } catch { return error }
        preconditionFailure("an empty address was accepted")
    }
}
