import Glibc

/// A PostgreSQL server in the temporary directory: reached by Unix socket alone, gone when the demo ends.
struct ThrowawayPostgres {
    let connectionString: String

    /// Makes a cluster, starts it and waits until it answers; its stop is left with the session.
    init(in directory: TemporaryDirectory, environment: [String: String], _ session: Session) throws {
        let programs = try Self.programs(environment)
        // The server refuses to run as root.
        let user: passwd? = geteuid() == 0 ? try Self.account("postgres") : nil
        let userName = user == nil ? nil : "postgres"
        let home = try directory.folder("postgres", owner: user)
        let log = try directory.newFile("postgres.log")
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer {
            close(log)
            close(null)
        }
        let streams = ChildProcess.Streams(input: null, output: log, error: log)

        let initdb = try ChildProcess(
            name: "initdb",
            command: [
                "\(programs)/initdb", "--pgdata=\(home)/data", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync",
                "--no-instructions",
            ], user: userName, environment: environment, directory: home, streams: streams)
        guard let code = try initdb.finish(within: 120, session), code == 0 else {
            throw ShopError("initdb failed\n" + directory.lastLines(8, of: "postgres.log").joined(separator: "\n"))
        }

        let server = try ChildProcess(
            name: "postgres",
            command: [
                "\(programs)/postgres", "-D", "\(home)/data", "-c", "listen_addresses=", "-c", "unix_socket_directories=\(home)",
                "-c", "wal_level=logical", "-c", "max_wal_senders=4", "-c", "max_replication_slots=4", "-c", "shared_buffers=16MB", "-c", "fsync=off",
            ], user: userName, lastSignal: "INT", environment: environment, directory: home, streams: streams)
        session.atEnd("PostgreSQL") { try server.stop(SIGINT, within: 20, session) }

        let socket = "host=\(home) port=5432 user=postgres"
        let first: Database? = try session.wait(seconds: 60) {
            guard server.exitCode == nil else {
                throw ShopError("PostgreSQL does not start\n" + directory.lastLines(8, of: "postgres.log").joined(separator: "\n"))
            }
            return try? Database("\(socket) dbname=postgres")
        }
        guard let first else { throw ShopError("PostgreSQL did not answer within 60 s") }
        try first.run("CREATE DATABASE shop")
        connectionString = "\(socket) dbname=shop"
    }

    /// The newest server's folder of programs: PG_BIN, Debian's, or where the PATH has initdb.
    private static func programs(_ environment: [String: String]) throws(ShopError) -> String {
        if let given = environment["PG_BIN"], !given.isEmpty { return given }
        let root = "/usr/lib/postgresql"
        var versions: [Int] = []
        if let folder = opendir(root) {
            while let entry = readdir(folder) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                    tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if let version = Int(name), access("\(root)/\(name)/bin/initdb", X_OK) == 0 { versions.append(version) }
            }
            closedir(folder)
        }
        if let newest = versions.max() { return "\(root)/\(newest)/bin" }
        for folder in (environment["PATH"] ?? "").split(separator: ":") where access("\(folder)/initdb", X_OK) == 0 { return String(folder) }
        throw ShopError("no PostgreSQL server on this machine: apt-get install postgresql, or PG=postgresql://… for one of your own")
    }

    private static func account(_ name: String) throws(ShopError) -> passwd {
        guard let entry = getpwnam(name) else {
            throw ShopError("PostgreSQL refuses to run as root, and there is no user \(name); run the demo as another user")
        }
        return entry.pointee
    }
}
