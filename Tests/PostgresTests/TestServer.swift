import Foundation
import Glibc
import Postgres
import Synchronization

/// A throwaway PostgreSQL, shared by the tests of this process and stopped at its end. nil where the machine has no server binaries.
final class TestServer: Sendable {
    static let shared: TestServer? = TestServer.start()
    static var isAvailable: Bool { shared != nil }

    let directory: String
    let port: Int

    private init(directory: String, port: Int) {
        self.directory = directory
        self.port = port
    }

    private static func start() -> TestServer? {
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        let newest = versions.compactMap { Int($0) }.max()
        let candidates = [getenv("PG_BIN").map { String(cString: $0) }, newest.map { "/usr/lib/postgresql/\($0)/bin" }].compactMap { $0 }
        guard let binaries = candidates.first(where: { access($0 + "/initdb", X_OK) == 0 }) else { return nil }
        let directory = "/tmp/postgres-tests-\(getpid())"
        let port = freePort()
        let asUser = getuid() == 0 ? "runuser -u postgres -- " : ""
        // No fsync; both a Unix socket and loopback.
        let settings =
            "-k \(directory) -p \(port) -c listen_addresses=127.0.0.1 -c wal_level=logical -c fsync=off"
            + " -c max_prepared_transactions=5 -c wal_sender_timeout=2s -c max_wal_senders=20 -c max_replication_slots=20"
        let script = """
            set -e; cd /; mkdir -p \(directory); \(getuid() == 0 ? "chown postgres \(directory); " : "")chmod 755 \(directory)
            \(asUser)\(binaries)/initdb -D \(directory)/data -U postgres -A trust -E UTF8 --locale=C.UTF-8 -N >/dev/null
            hba='local all all trust\\nhost all secretive 127.0.0.1/32 scram-sha-256\\nhost all all 127.0.0.1/32 trust\\n'
            printf "$hba" > \(directory)/data/pg_hba.conf
            \(asUser)\(binaries)/pg_ctl -D \(directory)/data -w -l \(directory)/log -o "\(settings)" start >/dev/null
            """
        guard run(script) == 0 else { return nil }
        stopCommand.withLock { $0 = "cd /; \(asUser)\(binaries)/pg_ctl -D \(directory)/data -m immediate stop >/dev/null 2>&1; rm -rf \(directory)" }
        atexit {
            let command = stopCommand.withLock { $0 }
            _ = TestServer.run(command)
        }
        return TestServer(directory: directory, port: port)
    }

    @discardableResult
    static func run(_ script: String) -> Int32 {
        // Not Foundation's Process: waiting for one needs a run loop, which a test's thread may not have.
        var child = pid_t()
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sh"), strdup("-c"), strdup(script), nil]
        defer { arguments.forEach { free($0) } }
        guard posix_spawn(&child, "/bin/sh", nil, nil, &arguments, environ) == 0 else { return -1 }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        return status >> 8 & 0xFF
    }

    private static func freePort() -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length)
                getsockname(descriptor, $0, &length)
            }
            return Int(UInt16(bigEndian: $0.pointee.sin_port))
        }
    }

    func address(user: String = "postgres", database: String = "postgres", tcp: Bool = false) -> String {
        "host=\(tcp ? "127.0.0.1" : directory) port=\(port) user=\(user) dbname=\(database)"
    }

    func connect(
        database: String = "postgres", user: String = "postgres", tcp: Bool = false, replication: Bool = false, interrupt: Interrupt? = nil,
        silence: Duration = .seconds(60)
    ) throws -> Connection {
        try Connection(
            connecting: address(user: user, database: database, tcp: tcp),
            options: ConnectionOptions(replication: replication, silenceTimeout: silence),
            interrupt: interrupt ?? Interrupt())
    }

    /// A database of the test's own, so that suites may run side by side.
    func makeDatabase(_ name: String) throws {
        try connect().execute("CREATE DATABASE \(Identifier.quoted(name)) TEMPLATE template0")
    }

    var log: String { (try? String(contentsOfFile: directory + "/log", encoding: .utf8)) ?? "" }
}

private let stopCommand = Mutex<String>("true")

/// Runs `body` on a thread of its own and gives its result or error when waited for.
// SAFETY: `result` is written before the semaphore is signalled and read after it was waited for.
final class Background<R: Sendable>: @unchecked Sendable {
    private let done = DispatchSemaphore(value: 0)
    private var result: Result<R, any Error>?

    init(_ body: @escaping @Sendable () throws -> R) {
        Thread.detachNewThread { [self] in
            result = Result(catching: body)
            done.signal()
        }
    }

    func wait(seconds: Double = 20) throws -> R {
        guard done.wait(timeout: .now() + seconds) == .success, let result else { throw TimedOut() }
        return try result.get()
    }

    struct TimedOut: Error {}
}
