import Glibc
import Testing

/// What a third party's compiler says to the headers.
@Suite struct HeaderTests {
    static let root = String(#filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined())
    static let include = root + "/Sources/PluginABI/include"
    static let languages = [
        ["cc", "-std=c11", "-x", "c"], ["c++", "-std=c++17", "-x", "c++"], ["clang", "-std=c11", "-x", "c"], ["clang++", "-std=c++17", "-x", "c++"],
    ].filter { found($0[0]) }
    static let headers = ["", "ext/"].flatMap { folder in
        names(include + "/cdcplugin/" + folder).filter { $0.hasSuffix(".h") }.map { folder + $0 }
    }

    static func names(_ directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return names.sorted()
    }

    static func found(_ program: String) -> Bool { system("command -v \(program) >/dev/null") == 0 }

    func compile(_ language: [String], _ arguments: String) -> Bool {
        let command = language.joined(separator: " ") + " -Wall -Wextra -pedantic -Werror -fsyntax-only -I '\(Self.include)' " + arguments
        return system(command) == 0
    }

    @Test(arguments: languages) func theLayoutIsThatOfContract1_0(language: [String]) {
        #expect(compile(language, "'\(Self.root)/Tests/PluginABITests/layout_v1_0.c'"))
    }

    @Test(arguments: languages) func everyHeaderCompilesAlone(language: [String]) {
        #expect(Self.headers.count > 15)
        for header in Self.headers {
            let path = "/tmp/cdc-header-\(getpid())-\(language[0]).c"
            let file = fopen(path, "w")
            fputs("#include <cdcplugin/\(header)>\n", file)
            fclose(file)
            defer { unlink(path) }
            #expect(compile(language, path), "\(header)")
        }
    }

    /// Languages that import a header's constants know plain literals only, and a C enum or bool has no fixed size.
    @Test func theHeadersUseWhatEveryLanguageImports() throws {
        for header in Self.headers {
            let text = try #require(contents(Self.include + "/cdcplugin/" + header))
            let code = text.replacing(#/\/\*.*?\*\//#.dotMatchesNewlines(), with: "")
            for word in ["enum", "bool", "long", "size_t", "errno", "FILE"] {
                let hit = try Regex("\\b\(word)\\b")
                #expect(code.firstMatch(of: hit) == nil, "\(header): \(word)")
            }
        }
    }

    func contents(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        while case let byte = fgetc(file), byte != EOF { bytes.append(UInt8(truncatingIfNeeded: byte)) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
