/// Every key of `host.yaml` with its type, bounds and default. Defaults that follow from other keys are filled in by `HostSettings`.
enum HostSchema {
    static let schema: OptionSchema = .map(
        [
            ("name", .text("names this stream, for example shop")),
            ("source", source),
            (
                "snapshot",
                .map([
                    ("mode", .choice(SnapshotMode.allCases.map(\.rawValue) + ["when_needed"], "initial")),
                    ("workers", .whole(1...64, 1)),
                    ("chunk_rows", .whole(1...1_000_000_000, 100_000)),
                ])
            ),
            (
                "topics",
                .map([("prefix", .text("first part of every topic")), ("template", .text("how topics are named", "{prefix}.{schema}.{table}"))])
            ),
            ("state", .map([("directory", .text("where the position is kept"))])),
            (
                "limits",
                .map([
                    ("in_flight", .size("16KiB"..."64GiB", "24MiB")),
                    ("record", .size("256B"..."1GiB", "1MB")),
                    ("stop", .duration("0s"..."1d", "30s")),
                ])
            ),
            ("batch", .map([("rows", .whole(1...65_536, 512)), ("bytes", .size("1KiB"..."64MiB", "1MiB"))])),
            (
                "retry",
                .map([
                    ("initial", .duration("1ms"..."1h", "100ms")),
                    ("max", .duration("1ms"..."1d", "30s")),
                    ("give_up_after", .duration("0s"..."365d", "never", words: ["never"])),
                ])
            ),
            (
                "dead_letters",
                .map([
                    ("topic", .text("where refused rows go", "{prefix}.dead-letters")),
                    ("values", .choice(DeadLetterSettings.Values.allCases.map(\.rawValue), "original")),
                ])
            ),
            ("admin", .map([("listen", .text("off, HOST:PORT or unix:PATH", "127.0.0.1:9464"))])),
            (
                "log",
                .map([
                    ("level", .choice(LogSettings.Level.allCases.map(\.rawValue), "info")),
                    ("format", .choice(LogSettings.Format.allCases.map(\.rawValue), "text")),
                    ("file", .text("a file instead of standard error")),
                ])
            ),
        ], required: ["name", "source"])

    private static let source: OptionSchema = .map(
        [
            ("connection", connection),
            ("mode", .choice(["stream", "polling"], "stream")),
            (
                "slot",
                .map(
                    [
                        ("name", .text("the replication slot")),
                        ("create", .truth(true)),
                        ("drop_on_stop", .truth(false)),
                        ("wait", .duration("0s"..."1d")),
                    ], later: ["failover"])
            ),
            ("publication", .map([("name", .text("the publication")), ("manage", .truth(true))])),
            ("tables", .map([("include", .texts(["public.*"])), ("exclude", .texts([]))])),
            ("columns", .map([("include", .texts([])), ("exclude", .texts([]))])),
            ("rows", rows),
            ("status_interval", .duration("100ms"..."1h", "10s")),
            ("connect_timeout", .duration("100ms"..."1h", "10s")),
            ("silence_timeout", .duration("1s"..."1d", "60s")),
        ], required: ["connection"])

    private static var connection: OptionSchema {
        var schema = OptionSchema.text("a libpq connection string or URI, such as postgresql://cdc@db.example/shop")
        schema.isSecret = true
        return schema
    }

    private static var rows: OptionSchema {
        var schema = OptionSchema(types: [.object])
        schema.additional = .each(.text("a SQL condition"))
        return schema
    }
}

/// The top of a stage file.
enum StageSchema {
    static var schema: OptionSchema {
        var schema = keys
        schema.unknownHint = "; what belongs to the plugin stands under options"
        return schema
    }

    private static let keys: OptionSchema = .map(
        [
            ("plugin", .text("a name such as Filter, or the path of a library, with a slash in it")),
            ("stage", .text("which stage of the library")),
            ("sha256", .text("hash of the library")),
            ("match", .map([("tables", .texts()), ("ops", operations)])),
            ("on_error", .choice(OnError.allCases.map(\.rawValue))),
            ("options", options),
        ], required: ["plugin"])

    private static var operations: OptionSchema {
        var schema = OptionSchema.texts()
        schema.items = .each(.choice(RowOp.allCases.map(\.rawValue)))
        schema.countMin = 1
        return schema
    }

    private static var options: OptionSchema {
        var schema = OptionSchema(types: [.object])
        schema.additional = .anything
        return schema
    }
}

extension OptionSchema {
    static func map(_ keys: [(String, OptionSchema)], required: [String] = [], later: [String] = []) -> OptionSchema {
        var schema = OptionSchema(types: [.object])
        schema.properties = keys.map { Property($0.0, $0.1) }
        schema.required = required
        schema.laterKeys = later
        return schema
    }

    static func text(_ summary: String, _ fallback: String? = nil) -> OptionSchema {
        var schema = OptionSchema(types: [.string])
        schema.summary = summary
        schema.fallback = fallback.map(JSONValue.string)
        schema.lengthMin = 1
        return schema
    }

    static func texts(_ fallback: [String]? = nil) -> OptionSchema {
        var schema = OptionSchema(types: [.array])
        schema.items = .each(.text(""))
        schema.fallback = fallback.map { .array($0.map(JSONValue.string)) }
        return schema
    }

    static func choice(_ words: [String], _ fallback: String? = nil) -> OptionSchema {
        var schema = OptionSchema(types: [.string])
        schema.choices = words
        schema.fallback = fallback.map(JSONValue.string)
        return schema
    }

    static func truth(_ fallback: Bool) -> OptionSchema {
        var schema = OptionSchema(types: [.boolean])
        schema.fallback = .bool(fallback)
        return schema
    }

    static func whole(_ range: ClosedRange<Int64>, _ fallback: Int64) -> OptionSchema {
        var schema = OptionSchema(types: [.integer])
        schema.minimum = Double(range.lowerBound)
        schema.maximum = Double(range.upperBound)
        schema.fallback = .integer(fallback)
        return schema
    }

    static func size(_ range: QuantityRange, _ fallback: String) -> OptionSchema { quantity(.size, range, fallback) }

    static func duration(_ range: QuantityRange, _ fallback: String? = nil, words: [String] = []) -> OptionSchema {
        var schema = quantity(.duration, range, fallback)
        schema.words = words
        return schema
    }

    private static func quantity(_ unit: Quantity, _ range: QuantityRange, _ fallback: String?) -> OptionSchema {
        var schema = OptionSchema(types: [])
        schema.unit = unit
        schema.minimum = (try? unit.parse(range.low)).map { Double($0) }
        schema.maximum = (try? unit.parse(range.high)).map { Double($0) }
        schema.fallback = fallback.map(JSONValue.string)
        return schema
    }
}

/// Bounds as people write them: `"100ms"..."1h"`.
struct QuantityRange {
    let low: String
    let high: String
}

func ... (low: String, high: String) -> QuantityRange { QuantityRange(low: low, high: high) }
