import Testing

/// What people read, and what must not be in it.
@Suite struct DocumentTests {
    private static let documents = SourceTree.files.filter { $0.path.hasSuffix(".md") }

    /// Lines outside of blocks of code.
    private static func prose(_ file: SourceFile) -> [(number: Int, text: String)] {
        var isCode = false
        return file.lines.enumerated().compactMap { number, text in
            if text.trimmed.hasPrefix("```") { isCode.toggle() }
            return isCode ? nil : (number + 1, text)
        }
    }

    @Test func eachHasOneTitle() {
        #expect(Self.documents.count > 10)
        for file in Self.documents {
            let titles = Self.prose(file).filter { $0.text.hasPrefix("# ") }
            #expect(titles.count == 1, "\(file.path)")
        }
    }

    @Test func everyLinkLeadsSomewhere() {
        for file in Self.documents {
            let folder = file.path.split(separator: "/").dropLast().joined(separator: "/")
            for (number, text) in Self.prose(file) {
                for target in Self.links(text) where !target.hasPrefix("http") && !target.hasPrefix("mailto:") {
                    let parts = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                    let path = parts[0].isEmpty ? file.path : Self.joined(folder, parts[0])
                    #expect(SourceTree.exists(path), "\(file.path):\(number): \(target)")
                    if parts.count == 2, path.hasSuffix(".md"), let other = Self.documents.first(where: { $0.path == path }) {
                        #expect(Self.anchors(other).contains(parts[1]), "\(file.path):\(number): \(target)")
                    }
                }
            }
        }
    }

    private static func links(_ text: String) -> [String] {
        text.split(separator: "](", omittingEmptySubsequences: false).dropFirst().compactMap { $0.split(separator: ")").first.map(String.init) }
    }

    private static func joined(_ folder: String, _ path: String) -> String {
        var parts = folder.split(separator: "/").map(String.init)
        for part in path.split(separator: "/") where part != "." { if part == ".." { _ = parts.popLast() } else { parts.append(String(part)) } }
        return parts.joined(separator: "/")
    }

    /// Titles as the forges make anchors of them.
    private static func anchors(_ file: SourceFile) -> Set<String> {
        Set(prose(file).filter { $0.text.hasPrefix("#") }.map { line in
            let title = line.text.drop { $0 == "#" }.drop { $0 == " " }.lowercased()
            return String(title.compactMap { $0 == " " ? "-" : $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" ? $0 : nil })
        })
    }

    /// Where the project was made, and by whom, is nothing to its readers. Written in pieces, or this file would be the first to be found.
    private static let strangers = ["/wo" + "rk/", "/ro" + "ot/", "/tmp/bu" + "ild-", "clau" + "de code", "anthro" + "pic", "chat" + "gpt", "co" + "pilot", "sub" + "agent",
        "ai ag" + "ent", "issue" + " #", "co-author" + "ed-by"]

    @Test func nothingOfTheMachineThatItWasMadeOn() {
        for file in SourceTree.files {
            for word in Self.strangers where file.holds(word) {
                let number = file.lines.firstIndex { $0.lowercased().has(word) } ?? 0
                Issue.record("\(file.path):\(number + 1): \(word)")
            }
        }
    }
}
