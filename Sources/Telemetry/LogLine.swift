/// How bad or how interesting an event is.
public enum LogLevel: UInt8, Sendable, Comparable, CaseIterable {
    case debug, info, warning, error

    /// As configured and as written.
    public var name: String {
        switch self {
        case .debug: "debug"
        case .info: "info"
        case .warning: "warning"
        case .error: "error"
        }
    }

    /// The level with this name.
    public init?(name: String) {
        guard let level = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = level
    }

    /// Worse is greater.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// Whom the log is written for.
public enum LogFormat: String, Sendable, CaseIterable {
    /// `time level event key=value …`
    case text
    /// One JSON object a line with the same keys.
    case json
}

/// One event, before it is text.
struct LogLine {
    var time: WallTime
    var level: LogLevel
    var event: String
    var fields: [(key: String, value: LogValue)]

    /// The line with its line feed; whatever the values hold, there is no other one in it.
    func rendered(_ format: LogFormat) -> String {
        switch format {
        case .text: text
        case .json: json
        }
    }

    private var text: String {
        var line = "\(time.iso8601) \(level.name) \(LogText.word(event))"
        for (key, value) in fields {
            line += " \(LogText.word(key))=\(LogText.value(value))"
        }
        return line + "\n"
    }

    private var json: String {
        var members: [(String, JSONText)] = [("time", .text(time.iso8601)), ("level", .text(level.name)), ("event", .text(event))]
        for (key, value) in fields {
            members.append((key, LogText.json(value)))
        }
        return JSONText.object(members).rendered() + "\n"
    }
}

/// Values of log lines as text.
enum LogText {
    static func value(_ value: LogValue) -> String {
        switch value {
        case .text(let text): word(text)
        case .number(let number): String(number)
        case .unsigned(let number): String(number)
        case .real(let real): PrometheusText.number(rounded(real))
        case .flag(let flag): flag ? "true" : "false"
        case .duration(let duration): duration.logText
        case .lsn(let position): LogValue.lsnText(position)
        case .list(let texts): word(texts.joined(separator: ","))
        }
    }

    static func json(_ value: LogValue) -> JSONText {
        switch value {
        case .text(let text): .text(cut(text))
        case .number(let number): .number(number)
        case .unsigned(let number): .unsigned(number)
        case .real(let real): .real(rounded(real))
        case .flag(let flag): .flag(flag)
        case .duration(let duration): .real(duration.secondsValue)
        case .lsn(let position): .text(LogValue.lsnText(position))
        case .list(let texts): .array(texts.prefix(listMax).map { .text(cut($0)) })
        }
    }

    private static let listMax = 1000

    /// Four decimals are enough for people; numbers too large for that have no decimals to speak of.
    private static func rounded(_ value: Double) -> Double {
        abs(value) < 1e11 ? (value * 10_000).rounded() / 10_000 : value
    }

    /// Bare where it reads as one word, quoted and escaped otherwise.
    static func word(_ text: String) -> String {
        let text = cut(text)
        let bare = !text.isEmpty && text.unicodeScalars.allSatisfy { $0 != " " && $0 != "=" && $0 != "\"" && $0 != "\\" && !mustEscape($0) }
        if bare { return text }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case _ where mustEscape(scalar): quoted += "\\u\(hex4(scalar.value))"
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    /// Control characters of both sets, line and paragraph separators, and what turns the direction of writing: a log line must look like
    /// what it is on every terminal.
    static func mustEscape(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028...0x202E, 0x2066...0x2069, 0x200E, 0x200F, 0xFEFF: true
        default: false
        }
    }

    static func hex4(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    private static func cut(_ text: String) -> String {
        guard text.utf8.count > LogValue.textMax else { return text }
        // Byte positions inside a character round down to its start.
        let end = text.utf8.index(text.startIndex, offsetBy: LogValue.textMax)
        return String(text[..<end]) + "…"
    }
}
