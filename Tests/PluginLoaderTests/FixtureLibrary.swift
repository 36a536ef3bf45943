import Files
import Glibc
import PluginLoader
import Testing

/// Libraries made of Fixtures/stage.c, and a loader, in a directory of a test's own.
final class Workshop {
    let directory = TemporaryDirectory()
    let loader: PluginLoader
    static let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

    init() throws {
        loader = try PluginLoader(directory: directory("state/plugins"))
    }

    /// Compiles the fixture to `name`.
    @discardableResult
    func build(_ name: String, _ defines: [String] = [], link: String = "") throws -> String {
        let path = directory(name)
        let options = defines.map { "'-D\($0)'" }.joined(separator: " ")
        let fixtures = Self.root + "/Tests/PluginLoaderTests/Fixtures"
        let command = """
            cc -shared -fPIC -O1 -Wno-unused -I '\(Self.root)/Sources/PluginABI/include' \(options) \(link) \
            -Wl,--version-script='\(fixtures)/export.map' '\(fixtures)/stage.c' -o '\(path)' 2>'\(directory("cc.log"))'
            """
        let status = system(command)
        let said = String(decoding: try FileSystem.read(directory("cc.log")), as: UTF8.self)
        try #require(status == 0, "\(command): \(said)")
        return path
    }

    func bytes(_ path: String) throws -> [UInt8] { try FileSystem.read(path, limit: 64 << 20) }

    func put(_ name: String, _ bytes: [UInt8], mode: UInt32 = 0o644) throws -> String {
        try FileSystem.removeIfPresent(directory(name))
        try FileSystem.writeNew(directory(name), bytes, mode: mode)
        return directory(name)
    }

    /// The error that loading gives.
    func refusal(_ path: String, sha256: String? = nil, sourceLocation: SourceLocation = #_sourceLocation) -> PluginError? {
        #expect(throws: PluginError.self, sourceLocation: sourceLocation) { try self.loader.load(path, sha256: sha256) }
    }
}
