/// What Package.swift says: which target may import which, and which are safe rooms.
struct Manifest {
    private(set) var imports: [String: Set<String>] = [:]
    private(set) var safeRooms: Set<String> = []
    private(set) var plugins: Set<String> = []

    init(_ file: SourceFile?) {
        let text = (file?.lines ?? []).joined(separator: " ")
        for call in Self.calls("room", text) where call.names.count > 0 {
            imports[call.names[0]] = Set(call.names.dropFirst())
            if call.text.contains(word: "safe") { safeRooms.insert(call.names[0]) }
        }
        for call in Self.calls("plugin", text) where call.names.count > 0 {
            imports[call.names[0]] = Set(call.names.dropFirst()).union(["PluginABI", "PluginKit"])
            plugins.insert(call.names[0])
        }
        for call in Self.calls(".executableTarget", text) where call.names.count > 0 {
            // name: "X", dependencies: […], path: "…"
            imports[call.names[0]] = Set(call.names.dropFirst().dropLast(1))
        }
    }

    /// Every `name("…", …)`: its text, and the words in quotes.
    private static func calls(_ name: String, _ text: String) -> [(text: String, names: [String])] {
        let bytes = Array(text.utf8)
        let opening = Array((name + "(").utf8)
        var calls: [(String, [String])] = []
        var index = 0
        while index + opening.count < bytes.count {
            guard bytes[index..<index + opening.count].elementsEqual(opening), index == 0 || !bytes[index - 1].isWord else {
                index += 1
                continue
            }
            var depth = 1
            var end = index + opening.count
            while end < bytes.count, depth > 0 {
                if bytes[end] == 40 { depth += 1 } else if bytes[end] == 41 { depth -= 1 }
                end += 1
            }
            let call = String(decoding: bytes[index + opening.count..<end], as: UTF8.self)
            let parts = call.split(separator: "\"", omittingEmptySubsequences: false)
            // A definition, not a call.
            if !call.hasPrefix("_ ") { calls.append((call, stride(from: 1, to: parts.count, by: 2).map { String(parts[$0]) })) }
            index = end
        }
        return calls
    }
}
