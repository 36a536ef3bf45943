import Glibc
import Testing

/// What was built beside this test.
@Suite struct BuiltTests {
    private static let directory: String = {
        if let given = getenv("CDC_PLUGIN_DIR") { return String(cString: given) }
        var buffer = [CChar](repeating: 0, count: 4096)
        let length = readlink("/proc/self/exe", &buffer, buffer.count)
        let path = String(decoding: buffer.prefix(max(length, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return "/" + path.split(separator: "/").dropLast().joined(separator: "/")
    }()
    private static let isBuilt = SourceTree.manifest.plugins.allSatisfy { SourceTree.exists("\(directory)/lib\($0).so") }
    private static let hasHost = SourceTree.exists("\(directory)/cdc-host")

    @Test(.enabled(if: isBuilt, "the plugins are not built: swift build"))
    func aPluginHasOneExport() {
        for plugin in SourceTree.manifest.plugins.sorted() {
            let symbols = Shell.lines("nm -D -g --defined-only '\(Self.directory)/lib\(plugin).so' 2>&1")
                .map { $0.split(separator: " ") }.filter { $0.count == 3 && $0[1] != "A" }.map { "\($0[1]) \($0[2])" }
            #expect(symbols == ["T cdcp_entry_v1"], "\(plugin)")
        }
    }

    @Test(.enabled(if: hasHost && isBuilt, "cdc-host is not built: swift build"), .timeLimit(.minutes(1)))
    func theDefaultConfigurationPassesItsOwnCheck() {
        let said = Shell.lines("cd '\(SourceTree.root)' && '\(Self.directory)/cdc-host' check --offline --plugins plugins.d 2>&1; echo \"exit $?\"")
        #expect(said.last == "exit 0", "\(said.joined(separator: "\n"))")
    }
}
