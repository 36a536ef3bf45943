import Files
import Glibc
import Postgres
import Settings

/// `init`: a commented plugins.d that passes `check --offline`; with a server, for its tables.
struct InitCommand {
    let directory: String
    let postgres: String?
    let kafka: String?

    func run(environment: [String: String]) -> ExitCode {
        do throws(HostExit) {
            try refuseOccupied()
            var files = InitTemplates.files
            var notes: [String] = []
            if let kafka { try Self.edit(&files, "60-sink.toml", #""${env:CDC_KAFKA:-127.0.0.1:9092}""#, with: #""\#(try Self.brokers(kafka))""#) }
            if let postgres { notes = try server(postgres, &files) }
            try write(files)
            print("wrote \(files.count) files to \(directory):")
            for (name, _) in files { print("  \(name)") }
            notes.forEach { print($0) }
            let problems = PluginsDirectory.read(path: directory, environment: environment).problems
            problems.forEach { print($0.description) }
            print("next: cdc-host check --plugins \(directory)")
            return .clean
        } catch {
            printError("cdc-host: \(error.reason)" + (error.cure.isEmpty ? "" : "; \(error.cure)"))
            return error.code
        }
    }

    private func refuseOccupied() throws(HostExit) {
        do throws(FileError) {
            let names = try FileSystem.list(directory)
            guard names.isEmpty else {
                throw FileError(operation: .makeDirectory, path: directory, code: ENOTEMPTY)
            }
        } catch {
            if error.isMissing, error.code == ENOENT { return }
            throw HostExit(
                .configuration, error.code == ENOTEMPTY ? "\(directory) is not empty, and nothing in it is overwritten" : error.description,
                cure: error.code == ENOTEMPTY ? "name a directory that does not exist yet" : "")
        }
    }

    private func write(_ files: [(name: String, text: String)]) throws(HostExit) {
        do throws(FileError) {
            try Self.makeDirectory(directory)
            for (name, text) in files { try FileSystem.writeNew(FilePath.join(directory, name), Array(text.utf8), mode: 0o644) }
            try FileSystem.syncDirectory(directory)
        } catch { throw HostExit(.io, error.description) }
    }

    /// With the missing ones above it; what others may read holds no secret.
    private static func makeDirectory(_ path: String) throws(FileError) {
        if mkdir(path, 0o755) == 0 || errno == EEXIST { return }
        let code = errno
        let above = FilePath.directory(of: path)
        guard code == ENOENT, above != path else { throw FileError(operation: .makeDirectory, path: path, code: code) }
        try makeDirectory(above)
        if mkdir(path, 0o755) != 0, errno != EEXIST { throw FileError(operation: .makeDirectory, path: path, code: errno) }
    }

    // MARK: for a server

    /// - Returns: what the user should know.
    private func server(_ postgres: String, _ files: inout [(name: String, text: String)]) throws(HostExit) -> [String] {
        let connection = try ConnectionText(postgres)
        let tables: [Table]
        let database: String
        do throws(PostgresError) {
            let session = try Connection(
                connecting: postgres, options: ConnectionOptions(applicationName: "cdc-host init"), interrupt: try Interrupt())
            database = session.database
            tables = try Catalog.tables(on: session) { _, _ in true }
        } catch {
            switch ErrorPolicy.judge(error) {
            case .exit(let exit): throw exit
            case .retry(let text), .slotHeld(let text): throw HostExit(.unavailable, text, cure: "nothing was written")
            case .interrupted: throw HostExit(.temporary, "interrupted")
            }
        }
        try Self.edit(&files, "host.yaml", #""${env:CDC_NAME:-shop}""#, with: Self.streamName(database))
        try Self.edit(&files, "host.yaml", #""${env:CDC_PG:-postgresql:///postgres?host=/var/run/postgresql}""#, with: #""\#(connection.yaml)""#)
        try Self.edit(&files, "host.yaml", #"    include: ["${env:CDC_TABLES:-public.*}"]"#, with: TableListing(tables).yaml)
        var notes = ["found \(tables.count) tables in database \(database)"]
        let without = tables.filter { !$0.hasUsableIdentity }
        if !without.isEmpty {
            notes.append(
                "without a usable replica identity, and so left out until that is cured (host.yaml says how): "
                    + without.prefix(20).map(\.shownName).joined(separator: ", ") + (without.count > 20 ? " and \(without.count - 20) more" : ""))
        }
        for variable in connection.variables {
            notes.append(
                "the connection string held a secret; it was not written: set the environment variable \(variable), or put ${file:PATH} in its place")
        }
        return notes
    }

    private static func edit(
        _ files: inout [(name: String, text: String)], _ name: String, _ old: String, with new: String
    ) throws(HostExit) {
        guard let index = files.firstIndex(where: { $0.name == name }), files[index].text.contains(old) else {
            throw HostExit(.defect, "the template of \(name) lacks \(old)", cure: "report it")
        }
        files[index].text = files[index].text.replacing(old, with: new)
    }

    /// HOST:PORT, or several with commas, as it may stand between quotes.
    private static func brokers(_ text: String) throws(HostExit) -> String {
        let isGood =
            !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 48...57, 65...90, 97...122: true
                default: ".:-_,[]".utf8.contains(byte)
                }
            }
        guard isGood else {
            throw HostExit(.usage, "--kafka takes HOST:PORT, or several with commas between them", cure: "for example --kafka kafka.example:9092")
        }
        return text
    }

    /// The database's name as far as it can name a stream.
    static func streamName(_ database: String) -> String {
        let kept = database.lowercased().utf8.map { byte -> UInt8 in
            switch byte {
            case 48...57, 97...122, 95: byte
            default: 95
            }
        }
        let name = String(decoding: kept.prefix(40), as: UTF8.self)
        // Quoted, since a name of digits would be a number.
        return name.isEmpty ? "\"stream\"" : "\"\(name)\""
    }
}
