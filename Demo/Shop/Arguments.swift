/// The command line and the environment of `shop-demo`.
struct Arguments {
    var plugins = "plugins.d"
    /// The user's own server; nil: a throwaway one.
    var postgres: String?
    /// The user's own brokers, `HOST:PORT`; nil: an embedded one.
    var kafka: String?
    /// Stop after this long; nil: at Ctrl-C.
    var seconds: Double?
    var help = false

    static let usage = """
        usage: shop-demo [--plugins DIR]

        A small shop in PostgreSQL, cdc-host beside it, and each of its changes as a Kafka consumer sees it. Ctrl-C ends it.
        Without more it brings a throwaway PostgreSQL and an embedded Kafka of its own, and leaves nothing behind.

          --plugins DIR      the configuration that cdc-host runs with (plugins.d)

          PG=URI             your own PostgreSQL: schema, slot and publication are named cdc_demo, and removed at the end
          KAFKA=HOST:PORT    your own Kafka: topics are named demo.SCHEMA.TABLE, and removed at the end
          DEMO_SECONDS=N     end by itself after N seconds
          NO_COLOR=1         no colours
          PG_BIN=DIR         where initdb and postgres are
          CDC_FORMAT, CDC_LOG_LEVEL and the like reach the files of plugins.d

        Exit code 0: what was committed, delivered and confirmed agree; 1: they do not, or a step failed; 64: wrong usage.

        example: DEMO_SECONDS=20 PG=postgresql://me@db.example/test KAFKA=kafka.example:9092 shop-demo

        """

    init(_ words: [String], environment: [String: String]) throws(UsageError) {
        var rest = words[...]
        while let word = rest.popFirst() {
            switch word {
            case "--plugins":
                guard let value = rest.popFirst(), !value.isEmpty else { throw UsageError(message: "--plugins needs a directory") }
                plugins = value
            case "--help", "-h": help = true
            default: throw UsageError(message: "\(word) is not an option of shop-demo; see --help")
            }
        }
        if let text = environment["DEMO_SECONDS"], !text.isEmpty {
            guard let value = Double(text), value > 0, value <= 86_400 else {
                throw UsageError(message: "DEMO_SECONDS=\(text): give a number of seconds from 1 to 86400")
            }
            seconds = value
        }
        postgres = environment["PG"].flatMap { $0.isEmpty ? nil : $0 }
        kafka = environment["KAFKA"].flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// A wrong word on the command line or in the environment.
struct UsageError: Error {
    var message: String
}
