/// A topic that is made at start: `--topic NAME:PARTITIONS`.
struct TopicArgument: Equatable {
    var name: String
    var partitions: Int32
}

/// The command line of `embedded-kafka`.
struct Arguments: Equatable {
    var brokers: Int32 = 1
    var topics: [TopicArgument] = []
    /// Keep running when standard input ends; only TERM, INT or `quit` stops.
    var stay = false
    var help = false

    static let brokersMax: Int32 = 100
    static let usage = """
        usage: embedded-kafka [--brokers N] [--topic NAME:PARTITIONS]... [--stay]

        A Kafka cluster in memory (librdkafka's mock) as a process of its own. Prints one line when it serves:
          bootstrap.servers=127.0.0.1:PORT[,127.0.0.1:PORT...]
        Then reads commands from standard input, one a line, and answers each with `ok` or `error WHY`.
        Without --stay the end of standard input stops it; TERM and INT always do.

        \(Command.summary)

        Limits of the mock: no CreateTopics request; a topic that nobody made gets 4 partitions when first asked for;
        about 5 MiB are kept of each partition, older messages go; nothing is on disk.

        """

    /// Reads the arguments after the program's name.
    /// - Throws: `UsageError` that names the argument and what it may be.
    init(_ words: [String]) throws(UsageError) {
        var rest = words[...]
        while let word = rest.popFirst() {
            switch word {
            case "--brokers":
                let value = try Self.value(of: word, from: &rest)
                guard let count = Int32(value), (1...Self.brokersMax).contains(count) else {
                    throw UsageError("--brokers \(value): give a number from 1 to \(Self.brokersMax)")
                }
                brokers = count
            case "--topic": topics.append(try Self.topic(try Self.value(of: word, from: &rest)))
            case "--stay": stay = true
            case "--help", "-h": help = true
            default: throw UsageError("\(word) is not an option of embedded-kafka; see --help")
            }
        }
    }

    private static func value(of option: String, from rest: inout ArraySlice<String>) throws(UsageError) -> String {
        guard let value = rest.popFirst() else { throw UsageError("\(option) needs a value") }
        return value
    }

    private static func topic(_ text: String) throws(UsageError) -> TopicArgument {
        guard let colon = text.lastIndex(of: ":") else { throw UsageError("--topic \(text): write NAME:PARTITIONS") }
        let name = String(text[..<colon])
        guard TopicName.isValid(name) else { throw UsageError("--topic \(text): \(TopicName.rule)") }
        guard let partitions = Int32(text[text.index(after: colon)...]), TopicName.partitions.contains(partitions) else {
            throw UsageError("--topic \(text): give a number of partitions from 1 to \(TopicName.partitions.upperBound)")
        }
        return TopicArgument(name: name, partitions: partitions)
    }
}

/// A wrong word on the command line or in a command.
struct UsageError: Error {
    var message: String
    init(_ message: String) { self.message = message }
}

/// What Kafka allows as the name and size of a topic.
enum TopicName {
    static let rule = "a topic's name has 1 to 249 of the characters a-z A-Z 0-9 . _ -"
    static let partitions: ClosedRange<Int32> = 1...10_000

    static func isValid(_ name: String) -> Bool {
        (1...249).contains(name.utf8.count) && name != "." && name != ".."
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
