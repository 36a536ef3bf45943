/// One line of standard input.
enum Command: Equatable {
    case topic(name: String, partitions: Int32)
    case down(broker: Int32)
    case up(broker: Int32)
    /// Broker -1 leaves the partition without a leader.
    case leader(topic: String, partition: Int32, broker: Int32)
    case roundTrip(broker: Int32, milliseconds: Int32)
    case errors(request: Int16, code: Int32, count: Int)
    case clear(request: Int16)
    case topicError(topic: String, code: Int32)
    case quit

    static let errorsMax = 100_000
    static let summary = """
        commands:
          topic NAME PARTITIONS            make a topic
          down BROKER | up BROKER          cut a broker off, bring it back (ids from 1; -1 is all)
          leader TOPIC PARTITION BROKER    move a partition (-1: no leader)
          rtt BROKER MS                    delay each answer
          errors REQUEST CODE COUNT        the next COUNT requests of this kind fail (PRODUCE, METADATA, INITPRODUCERID, ... or an API key)
          clear REQUEST                    forget such errors
          topic_error TOPIC CODE           what metadata says of a topic (NO_ERROR takes it back)
          quit
        CODE is a name of librdkafka's (NOT_LEADER_FOR_PARTITION, _TRANSPORT: cut the connection, ...) or its number.
        """

    /// Kafka's request kinds by librdkafka's names; https://kafka.apache.org/protocol#protocol_api_keys.
    static let requests: [String: Int16] = [
        "PRODUCE": 0, "FETCH": 1, "LISTOFFSETS": 2, "METADATA": 3, "OFFSETCOMMIT": 8, "OFFSETFETCH": 9, "FINDCOORDINATOR": 10,
        "JOINGROUP": 11, "HEARTBEAT": 12, "LEAVEGROUP": 13, "SYNCGROUP": 14, "APIVERSION": 18, "INITPRODUCERID": 22,
        "ADDPARTITIONSTOTXN": 24, "ADDOFFSETSTOTXN": 25, "ENDTXN": 26, "TXNOFFSETCOMMIT": 28,
    ]

    /// Reads one line.
    /// - Parameter code: finds the number of an error by its name.
    /// - Throws: `UsageError` that says what the command takes.
    init(_ line: String, code: (String) -> Int32?) throws(UsageError) {
        let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" }).map(String.init)
        switch (words.first, words.count) {
        case ("topic", 3):
            guard TopicName.isValid(words[1]) else { throw UsageError(TopicName.rule) }
            let partitions = try Self.number(words[2], "PARTITIONS", TopicName.partitions)
            self = .topic(name: words[1], partitions: partitions)
        case ("down", 2): self = .down(broker: try Self.number(words[1], "BROKER", -1...Arguments.brokersMax))
        case ("up", 2): self = .up(broker: try Self.number(words[1], "BROKER", -1...Arguments.brokersMax))
        case ("leader", 4):
            guard TopicName.isValid(words[1]) else { throw UsageError(TopicName.rule) }
            self = .leader(
                topic: words[1], partition: try Self.number(words[2], "PARTITION", 0...(TopicName.partitions.upperBound - 1)),
                broker: try Self.number(words[3], "BROKER", -1...Arguments.brokersMax))
        case ("rtt", 3):
            self = .roundTrip(
                broker: try Self.number(words[1], "BROKER", -1...Arguments.brokersMax), milliseconds: try Self.number(words[2], "MS", 0...600_000))
        case ("errors", 4):
            let count: Int32 = try Self.number(words[3], "COUNT", 1...Int32(Self.errorsMax))
            self = .errors(request: try Self.request(words[1]), code: try Self.code(words[2], code), count: Int(count))
        case ("clear", 2): self = .clear(request: try Self.request(words[1]))
        case ("topic_error", 3):
            guard TopicName.isValid(words[1]) else { throw UsageError(TopicName.rule) }
            self = .topicError(topic: words[1], code: try Self.code(words[2], code))
        case ("quit", 1): self = .quit
        default: throw UsageError("unknown command or wrong number of words; the commands are in embedded-kafka --help")
        }
    }

    private static func number(_ text: String, _ what: String, _ allowed: ClosedRange<Int32>) throws(UsageError) -> Int32 {
        guard let value = Int32(text), allowed.contains(value) else {
            throw UsageError("\(what) is a number from \(allowed.lowerBound) to \(allowed.upperBound)")
        }
        return value
    }

    private static func request(_ text: String) throws(UsageError) -> Int16 {
        if let key = requests[text.uppercased()] { return key }
        guard let key = Int16(text), (0...100).contains(key) else { throw UsageError("REQUEST is one of \(requests.keys.sorted()) or an API key") }
        return key
    }

    private static func code(_ text: String, _ find: (String) -> Int32?) throws(UsageError) -> Int32 {
        if let code = Int32(text) { return code }
        guard let code = find(text) else { throw UsageError("CODE is a name of librdkafka's error or its number") }
        return code
    }
}
