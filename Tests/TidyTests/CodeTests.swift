import Testing

/// Rules of the code that a compiler does not know.
@Suite struct CodeTests {
    /// A place where a rule does not hold, and why.
    private struct Exception {
        let path: String
        let text: String
        let reason: String
    }
    private static let unwrapped: [Exception] = []

    @Test func noFileIsLong() {
        let sources = SourceTree.files.filter { file in
            [".swift", ".h", ".c", ".cpp", ".py"].contains(where: file.path.hasSuffix) && !file.path.hasPrefix("Tests/Fixtures")
        }
        #expect(sources.count > 300)
        for file in sources { #expect(file.lines.count <= (file.path.hasPrefix("Tests/") ? 800 : 500), "\(file.path): \(file.lines.count) lines") }
    }

    @Test func nothingTrapsOnPurpose() {
        for file in SourceTree.swift {
            for (line, text) in file.code.enumerated() {
                for word in ["try!", "as!", "fatalError("] { #expect(!text.has(word), "\(file.path):\(line + 1): \(word)") }
            }
        }
    }

    @Test func nothingIsUnwrappedByForce() {
        var excused = Set<String>()
        for file in SourceTree.swift {
            for (line, text) in file.code.enumerated() where Self.unwraps(Array(text.utf8)) {
                if let known = Self.unwrapped.first(where: { $0.path == file.path && text.has($0.text) }) {
                    excused.insert(known.path + known.text)
                } else {
                    Issue.record("\(file.path):\(line + 1): \(text.trimmed)")
                }
            }
        }
        for exception in Self.unwrapped { #expect(excused.contains(exception.path + exception.text) && !exception.reason.isEmpty, "\(exception.path): excused for nothing") }
    }

    /// A `!` behind a value: not `!=`, not the negation, not `try!` and `as!`, which have their own rule.
    private static func unwraps(_ line: [UInt8]) -> Bool {
        for index in line.indices.dropFirst() where line[index] == 33 {
            let before = line[index - 1]
            guard before.isWord || before == 41 || before == 93 else { continue }
            // `a != b` is written with blanks, `a!=b` is not written.
            if index + 1 < line.count, line[index + 1] == 61, index + 2 < line.count, line[index + 2] != 61 { continue }
            let word = line[..<index].reversed().prefix { $0.isWord }.reversed()
            if word.elementsEqual(Array("try".utf8)) || word.elementsEqual(Array("as".utf8)) { continue }
            return true
        }
        return false
    }

    @Test func safeRoomsNeverSayTheWord() {
        let word = "unsafe"
        for file in SourceTree.swift where file.path.hasPrefix("Sources/") && SourceTree.manifest.safeRooms.contains(file.room) {
            for (line, text) in file.lines.enumerated() { #expect(!text.has(word) && !text.has("Unsafe"), "\(file.path):\(line + 1)") }
        }
    }

    @Test func whatTheCompilerCannotCheckSaysWhyItHolds() {
        for file in SourceTree.swift {
            for (line, text) in file.code.enumerated() where text.has("@unchecked Sendable") || text.has("nonisolated(unsafe)") {
                // Lines of one kind share their reason.
                var first = line
                while first > 0, file.code[first - 1].has("nonisolated(unsafe)") { first -= 1 }
                let near = file.lines[max(0, first - 2)...min(file.lines.count - 1, line + 2)]
                #expect(near.contains { $0.has("// SAFETY:") }, "\(file.path):\(line + 1): \(text.trimmed)")
            }
        }
    }

    @Test func publicDeclarationsAreDocumented() {
        let kinds: Set<Substring> = ["func", "var", "let", "struct", "class", "enum", "protocol", "init", "subscript", "typealias", "actor", "static"]
        for file in SourceTree.swift where file.path.hasPrefix("Sources/") {
            for (line, text) in file.code.enumerated() {
                let words = text.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == "@") }
                guard let place = words.firstIndex(of: "public"), words.prefix(place).allSatisfy({ $0.hasPrefix("@") || ["nonisolated", "indirect", "always", "c", "implementation"].contains($0) }),
                    let kind = words.dropFirst(place + 1).first(where: { !["final", "internal", "set", "private", "mutating", "consuming", "borrowing", "nonisolated", "unsafe", "indirect", "override", "convenience"].contains($0) }),
                    kinds.contains(kind)
                else { continue }
                var above = line - 1
                while above >= 0, file.code[above].trimmed.hasPrefix("@") || file.lines[above].trimmed.hasPrefix("// SAFETY:") || file.lines[above].trimmed.hasPrefix("// Inlined") { above -= 1 }
                #expect(above >= 0 && file.lines[above].trimmed.hasPrefix("///"), "\(file.path):\(line + 1): \(text.trimmed)")
            }
        }
    }

    /// A function of the contract that does not say on which thread it is called is no contract.
    @Test func everyFunctionOfTheContractHasItsThread() {
        var count = 0
        for file in SourceTree.files where file.path.hasPrefix("Sources/PluginABI/include/") && file.path.hasSuffix(".h") {
            for (line, text) in file.code.enumerated() where (text.has("(*") || text.has("CDCP_EXPORT const")) && !text.hasPrefix("#") {
                count += 1
                // On its line, on the rest of its declaration, or in what stands above it without a gap.
                var end = line
                while end + 1 < file.lines.count, !file.code[end].has(";") { end += 1 }
                var start = line
                while start > 0, !file.lines[start - 1].trimmed.isEmpty { start -= 1 }
                let near = file.lines[start...end]
                #expect(near.contains { text in ["[any]", "[control]", "[lane]", "[control|lane]"].contains { text.has($0) } }, "\(file.path):\(line + 1): \(text.trimmed)")
            }
        }
        #expect(count > 50)
    }
}
