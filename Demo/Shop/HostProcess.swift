import Glibc

/// `cdc-host --plugins DIR`, set up by environment variables as a user would do it. Main thread only.
final class HostProcess {
    /// What its /metrics say of the lag.
    struct Lag {
        var bytes: Int?
        var seconds: Double?
    }

    private static let log = "cdc-host.log"
    private static let stopSeconds = 45.0
    private let process: ChildProcess
    private let directory: TemporaryDirectory
    private let lockFile: String
    private var stopped = false

    /// - Parameter program: the executable; its plugins lie beside it.
    init(
        program: String, plugins: String, place: Place, postgres: String, kafka: String, in directory: TemporaryDirectory,
        environment: [String: String]
    ) throws(ShopError) {
        let state = try directory.folder("state")
        var variables = environment
        variables["CDC_NAME"] = place.stream
        variables["CDC_PG"] = postgres
        variables["CDC_KAFKA"] = kafka
        variables["CDC_TABLES"] = "\(place.schema).*"
        variables["CDC_ADMIN"] = "127.0.0.1:0"
        // A truncate has no record by default; here it is to be seen.
        variables["CDC_SKIPPED_OPERATIONS"] = "none"
        variables["STATE_DIRECTORY"] = state
        let log = try directory.newFile(Self.log)
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer {
            close(log)
            close(null)
        }
        process = try ChildProcess(
            name: "cdc-host", command: [program, "--plugins", plugins], environment: variables,
            streams: .init(input: null, output: log, error: log))
        self.directory = directory
        lockFile = "\(state)/\(place.stream).lock"
    }

    /// Where the admin endpoint listens, as the lock file has it; nil until it does.
    var adminAddress: String? {
        TemporaryDirectory.text(of: lockFile).split(separator: "\n").first { $0.hasPrefix("admin ") }
            .map { String($0.dropFirst(6)) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// It says that rows can flow.
    var isReady: Bool { adminAddress.flatMap { HTTPGet.get("/readyz", from: $0) }?.status == 200 }

    var lag: Lag {
        guard let body = adminAddress.flatMap({ HTTPGet.get("/metrics", from: $0) })?.body else { return Lag() }
        func value(_ name: String) -> Double? {
            let line = body.split(separator: "\n").first { $0.hasPrefix(name + "{") || $0.hasPrefix(name + " ") }
            return line?.split(separator: " ").last.flatMap { Double($0) }
        }
        return Lag(bytes: value("cdc_lag_bytes").flatMap { Int(exactly: $0.rounded()) }, seconds: value("cdc_lag_seconds"))
    }

    /// - Throws: `ShopError` with the last lines of its log when it has ended by itself.
    func mustRun() throws(ShopError) {
        guard let code = process.exitCode else { return }
        stopped = true
        throw ShopError("cdc-host ended with exit code \(code)\n" + lastLines)
    }

    /// TERM, and what comes after it if that is not enough.
    /// - Throws: `ShopError` with the last lines of its log when it did not end with 0.
    func stop(_ session: Session) throws(ShopError) {
        guard !stopped else { return }
        stopped = true
        let code = try process.stop(SIGTERM, within: Self.stopSeconds, session)
        guard code == 0 else { throw ShopError("cdc-host stopped with exit code \(code)\n" + lastLines) }
    }

    /// The last lines of its log, for people.
    var lastLines: String {
        (["the last lines of its log:"] + directory.lastLines(20, of: Self.log).map { "  \($0)" }).joined(separator: "\n")
    }
}
