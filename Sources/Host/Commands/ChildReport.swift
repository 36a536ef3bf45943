import Glibc

/// What a child tells its parent, one line each: words with tabs between them.
enum ChildReport: Equatable {
    /// From here on this is at work, and may be silent for so long.
    case at(stage: String, what: String, seconds: Int)
    case finding(Finding)
    /// The output plugin that the decoder's slot needs.
    case outputPlugin(String)
    /// Text for the user.
    case text(String)
    /// One stage of a described library.
    case stage(role: String, id: String, version: String, summary: String)
    /// All was done; without it, the child was cut short.
    case done

    var line: String {
        let words: [String] =
            switch self {
            case .at(let stage, let what, let seconds): ["at", stage, what, String(seconds)]
            case .finding(let finding): ["finding", finding.verdict.rawValue, String(finding.code.rawValue), finding.line]
            case .outputPlugin(let name): ["output_plugin", name]
            case .text(let text): ["text", text]
            case .stage(let role, let id, let version, let summary): ["stage", role, id, version, summary]
            case .done: ["done"]
            }
        return words.map(Self.escaped).joined(separator: "\t")
    }

    /// nil: not one of ours. A plugin may have written to the descriptor.
    init?(line: String) {
        let words = line.split(separator: "\t", omittingEmptySubsequences: false).map(Self.plain)
        switch (words.first, words.count) {
        case ("at", 4): self = .at(stage: words[1], what: words[2], seconds: min(max(Int(words[3]) ?? 10, 1), 3600))
        case ("finding", 4):
            guard let verdict = Finding.Verdict(rawValue: words[1]), let code = Int32(words[2]).flatMap({ ExitCode(rawValue: $0) }) else {
                return nil
            }
            self = .finding(Finding(verdict, code: code, line: words[3]))
        case ("output_plugin", 2): self = .outputPlugin(words[1])
        case ("text", 2): self = .text(words[1])
        case ("stage", 5): self = .stage(role: words[1], id: words[2], version: words[3], summary: words[4])
        case ("done", 1): self = .done
        default: return nil
        }
    }

    /// Sends it. In the child.
    func send() {
        var bytes = Array((line + "\n").utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { write(ChildProcess.reportDescriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\t", with: "\\t").replacing("\n", with: "\\n").replacing("\r", with: "\\r")
    }

    private static func plain(_ text: Substring) -> String {
        var result = ""
        var isEscaped = false
        for character in text.unicodeScalars {
            if isEscaped {
                switch character {
                case "t": result += "\t"
                case "n": result += "\n"
                case "r": result += "\r"
                default: result.unicodeScalars.append(character)
                }
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else {
                result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
