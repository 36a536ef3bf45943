import Glibc

/// One file: its lines as they stand, and of Swift and C the same lines with comments and texts blanked out.
struct SourceFile {
    let path: String
    let lines: [String]
    let code: [String]
    private let lowered: [UInt8]

    init(path: String, bytes: [UInt8]) {
        self.path = path
        lowered = bytes.map { (65...90).contains($0) ? $0 + 32 : $0 } + [0]
        lines = Self.split(bytes)
        let isCode = [".swift", ".h", ".c", ".cpp"].contains { path.hasSuffix($0) }
        code = isCode ? Self.split(Self.blanked(bytes)) : lines
    }

    /// `Sources/Chain/Lane.swift` is of room Chain.
    var room: String { String(path.split(separator: "/").dropFirst().first ?? "") }

    /// Does it have `part`, in small letters, anywhere, in whatever case?
    func holds(_ part: String) -> Bool {
        lowered.withUnsafeBytes { text in
            text.withMemoryRebound(to: CChar.self) { text in text.baseAddress.map { strstr($0, part) != nil } ?? false }
        }
    }

    private static func split(_ bytes: [UInt8]) -> [String] {
        bytes.split(separator: 10, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func blanked(_ source: [UInt8]) -> [UInt8] {
        var bytes = source
        var index = 0
        func starts(_ text: StaticString) -> Bool {
            guard index + text.utf8CodeUnitCount <= source.count else { return false }
            return text.withUTF8Buffer { $0.elementsEqual(source[index..<index + $0.count]) }
        }
        func blank(_ count: Int) {
            for _ in 0..<count where index < source.count {
                if source[index] != 10 { bytes[index] = 32 }
                index += 1
            }
        }
        /// A text from its quotes on; what is interpolated goes with it.
        func text(_ quotes: Int, hashes: Int) {
            blank(quotes)
            while index < source.count {
                let isEnd = index + quotes + hashes <= source.count && source[index..<index + quotes].allSatisfy { $0 == 34 }
                    && source[index + quotes..<index + quotes + hashes].allSatisfy { $0 == 35 }
                if isEnd { return blank(quotes + hashes) }
                guard source[index] == 92, index + 1 + hashes < source.count, source[index + 1..<index + 1 + hashes].allSatisfy({ $0 == 35 }) else {
                    blank(1)
                    continue
                }
                let isInterpolation = source[index + 1 + hashes] == 40
                blank(2 + hashes)
                var depth = isInterpolation ? 1 : 0
                while depth > 0, index < source.count {
                    if source[index] == 40 { depth += 1 } else if source[index] == 41 { depth -= 1 } else if source[index] == 34 {
                        text(starts("\"\"\"") ? 3 : 1, hashes: 0)
                        continue
                    }
                    blank(1)
                }
            }
        }
        while index < source.count {
            if starts("//") {
                while index < source.count, source[index] != 10 { blank(1) }
            } else if starts("/*") {
                var depth = 0
                repeat {
                    if starts("/*") { depth += 1; blank(2) } else if starts("*/") { depth -= 1; blank(2) } else { blank(1) }
                } while depth > 0 && index < source.count
            } else if starts("\"\"\"") {
                text(3, hashes: 0)
            } else if starts("\"") {
                text(1, hashes: 0)
            } else if starts("#\"\"\"") {
                blank(1)
                text(3, hashes: 1)
            } else if starts("#\"") {
                blank(1)
                text(1, hashes: 1)
            } else {
                index += 1
            }
        }
        return bytes
    }
}

extension String {
    /// Where `word` stands by itself, not as a part of a longer one.
    func contains(word: String) -> Bool {
        let bytes = Array(utf8)
        let wanted = Array(word.utf8)
        guard !wanted.isEmpty, bytes.count >= wanted.count else { return false }
        for start in 0...(bytes.count - wanted.count) where bytes[start] == wanted[0] && bytes[start..<start + wanted.count].elementsEqual(wanted) {
            let before = start == 0 || !bytes[start - 1].isWord
            let after = start + wanted.count == bytes.count || !bytes[start + wanted.count].isWord
            if before, after { return true }
        }
        return false
    }

    func has(_ part: String) -> Bool { strstr(self, part) != nil }

    var trimmed: Substring { drop { $0 == " " } }
}

extension UInt8 {
    var isWord: Bool { (48...57).contains(self) || (65...90).contains(self) || (97...122).contains(self) || self == 95 }
}
