import PluginKit

/// The options, read once.
struct CodecOptions {
    enum Format { case debezium, compact }
    enum Decimals: String { case precise, double, string }
    enum Intervals: String { case numeric, string }
    enum Times: String {
        case adaptive
        case adaptiveTimeMicroseconds = "adaptive_time_microseconds"
        case connect, isostring, microseconds, nanoseconds
    }
    enum Binary: String {
        case bytes, base64, hex
        case base64URL = "base64-url-safe"

        var text: BinaryText {
            switch self {
            case .bytes, .base64: .base64
            case .base64URL: .base64URL
            case .hex: .hex
            }
        }
    }

    var format = Format.debezium
    var tombstones = true
    var decimals = Decimals.precise
    var times = Times.adaptive
    var binary = Binary.bytes
    var intervals = Intervals.numeric
    var includeUnknown = false
    /// The bytes that stand for a value the server did not send.
    var placeholder = Array("__debezium_unavailable_value".utf8)
    /// Bit n set: rows of op n give no record.
    var skipped: UInt32 = 0
    /// Entries of `message_key_columns`, in the order of the file.
    var ownKeys: [OwnKey] = []
    var contextHeaders = false

    init() {}

    init(_ options: Options) throws(StageError) {
        switch options.string("format") ?? "debezium" {
        case "debezium": format = .debezium
        case "compact": format = .compact
        default: throw .config("\(options.origin("format")): this format comes later; use debezium or compact")
        }
        if options.bool("schemas_enable") == true {
            throw .config("\(options.origin("schemas_enable")): schemas inside the records come later; leave it false")
        }
        if options.bool("provide_transaction_metadata") == true {
            throw .config("\(options.origin("provide_transaction_metadata")): transaction metadata comes later; leave it false")
        }
        tombstones = options.bool("tombstones_on_delete") ?? true
        decimals = try CodecOptions.word(options, "decimal_handling_mode", .precise)
        times = try CodecOptions.word(options, "time_precision_mode", .adaptive)
        binary = try CodecOptions.word(options, "binary_handling_mode", .bytes)
        intervals = try CodecOptions.word(options, "interval_handling_mode", .numeric)
        if let mode = options.string("hstore_handling_mode"), mode != "json" {
            throw .config("\(options.origin("hstore_handling_mode")): hstore as a map comes later; leave it json")
        }
        includeUnknown = options.bool("include_unknown_datatypes") ?? false
        contextHeaders = options.bool("extended_headers_enabled") ?? false
        if let text = options.string("unavailable_value_placeholder") { placeholder = try CodecOptions.placeholder(text, options) }
        for word in options.strings("skipped_operations") { try skip(word, options) }
        if let map = options.map("message_key_columns") {
            for table in map.keys { ownKeys.append(try OwnKey(table, map)) }
        }
    }

    private static func word<Word: RawRepresentable<String>>(_ options: Options, _ key: String, _ fallback: Word) throws(StageError) -> Word {
        guard let text = options.string(key) else { return fallback }
        guard let word = Word(rawValue: text) else { throw .config("\(options.origin(key)): this mode comes later; use \(fallback.rawValue)") }
        return word
    }

    private mutating func skip(_ word: String, _ options: Options) throws(StageError) {
        switch word {
        case "create": skipped |= 1 << 1
        case "update": skipped |= 1 << 2
        case "delete": skipped |= 1 << 3
        case "truncate": skipped |= 1 << 4
        // Debezium's word for a list that skips nothing.
        case "none": break
        default: throw .config("\(options.origin("skipped_operations")): the words are create, update, delete, truncate and none")
        }
    }

    /// Plain text, or bytes behind `hex:`.
    private static func placeholder(_ text: String, _ options: Options) throws(StageError) -> [UInt8] {
        guard text.hasPrefix("hex:") else { return Array(text.utf8) }
        let digits = Array(text.utf8.dropFirst(4))
        let values = digits.map { digit -> UInt8? in
            switch digit {
            case 0x30...0x39: digit - 0x30
            case 0x41...0x46: digit - 0x37
            case 0x61...0x66: digit - 0x57
            default: nil
            }
        }
        guard digits.count % 2 == 0, !digits.isEmpty, !values.contains(nil) else {
            throw .config("\(options.origin("unavailable_value_placeholder")): behind hex: stand pairs of hexadecimal digits, as in hex:fffe")
        }
        let nibbles = values.compactMap { $0 }
        return stride(from: 0, to: nibbles.count, by: 2).map { nibbles[$0] << 4 | nibbles[$0 + 1] }
    }
}
