import Glibc
import LibRDKafka
import PluginABI
import PluginKit
import Synchronization

/// The topics that the sink has been shown. The lane adds, the poll thread reads handles, the watch thread asks for growth.
final class TopicCatalog: @unchecked Sendable {
    // SAFETY: `entries` never moves; the lane writes an entry before it hands a submission that names it through the lock of `Departures`;
    // `known` has a lock.
    struct Known: @unchecked Sendable {
        // SAFETY: a topic handle of librdkafka may be used from any thread.
        let number: UInt32
        let name: String
        let handle: OpaquePointer
        var partitions: Int32
    }

    /// What sending needs of a topic. All zero: not known.
    struct Entry {
        var handle: OpaquePointer?
        /// Larger records are refused here, before they take a whole batch with them; 0: no limit is known.
        var recordBytesMax = 0
    }

    private let client: OpaquePointer
    private let host: PluginHost
    private let health: BrokerHealth
    private let settings: TopicSettings
    private let limits: TopicLimits
    private let batchBytesMax: Int
    private let compresses: Bool
    /// By number. Address space only: pages that nobody touches cost nothing.
    private let entries: UnsafeMutablePointer<Entry>
    private var used = 0
    private let known = Mutex<[Known]>([])

    private static let capacity = 1 << 20
    /// How long the lane may wait for a topic, in nanoseconds.
    private static let patience: UInt64 = 5 * Clock.second

    init(_ producer: Producer, _ settings: TopicSettings, _ configuration: ClientConfiguration) throws(StageError) {
        client = producer.handle
        host = producer.host
        health = producer.health
        limits = producer.topicLimits
        batchBytesMax = configuration.batchBytesMax
        compresses = configuration.compresses
        self.settings = settings
        guard let zeroed = calloc(Self.capacity, MemoryLayout<Entry>.stride) else { throw .fatal("no memory for the topics") }
        entries = zeroed.assumingMemoryBound(to: Entry.self)
    }

    /// Lets go of the handles; before the producer ends.
    func close() {
        for index in 0..<used { if let handle = entries[index].handle { rd_kafka_topic_destroy(handle) } }
        used = 0
        free(entries)
    }

    /// A topic as far as it was found. [lane, poll thread]
    @inline(__always) subscript(number: UInt32) -> Entry { number < Self.capacity ? entries[Int(number)] : Entry() }

    /// All that is known, for the watch thread.
    var list: [Known] { known.withLock { $0 } }

    /// Finds or makes a topic. [lane]
    /// - Returns: the partitions that it has.
    /// - Throws: CDCP_E_RETRY where brokers do not answer, CDCP_E_CONFIG where the topic cannot be had, CDCP_E_PERMISSION where the client may not.
    func find(_ number: UInt32, _ name: String) throws(StageError) -> Int32 {
        let handle: OpaquePointer
        if let there = self[number].handle {
            handle = there
        } else {
            guard number < Self.capacity else { throw .fatal("topic number \(number) is out of range") }
            guard let made = rd_kafka_topic_new(client, name, nil) else {
                throw .config("topic \(name): librdkafka refuses the name: \(text(rd_kafka_last_error()))")
            }
            handle = made
            keep(number, handle)
        }
        let end = Clock.now() &+ Self.patience
        var created = false
        while true {
            var missing = "its partitions have no leader yet"
            let left = Clock.milliseconds(until: end)
            switch Metadata.of(handle, client, timeout: max(left, 1)) {
            case .partitions(let count, let led, let broker):
                let complete = !created || count >= (settings.partitions ?? 1)
                guard led && complete else { break }
                health.report(well: true, "the brokers answer")
                if let complaint = settings.complaint(of: name, count) { host.log(.warning, complaint) }
                learnLimit(number, name, broker)
                remember(Known(number: number, name: name, handle: handle, partitions: count))
                return count
            case .unknown:
                guard !created else { break }
                guard settings.create else { throw TopicSettings.missing(name) }
                try TopicCreation(settings).make(name, client, timeout: max(left, 1))
                created = true
                continue
            case .refused(RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION):
                throw .config("topic \(name): the brokers refuse the name: a topic has 1 to 249 of the characters a-z A-Z 0-9 . _ -")
            case .refused(let error):
                throw .permission("topic \(name): \(text(error)): the client needs DESCRIBE and WRITE on it, and CREATE where it is to be made")
            case .failed(let error):
                if let refusal = health.permanentRefusal { throw Self.refused(refusal) }
                missing = "the brokers do not answer: \(health.reason(or: text(error)))"
                if left <= 0 || !Metadata.passes(error) { throw .retry("topic \(name): \(missing)") }
            }
            guard Clock.now() < end else { throw .retry("topic \(name): \(missing)") }
            Clock.sleep(milliseconds: 50)
        }
    }

    /// What waiting does not cure, with the options that do.
    static func refused(_ refusal: String) -> StageError {
        .permission("the brokers refuse the client: \(refusal); check security.protocol, sasl.* and ssl.* in options.kafka")
    }

    /// A topic has more partitions than when it was first used: said once, the mapping stays. [watch thread]
    func grew(_ topic: Known, to partitions: Int32) {
        known.withLock { list in
            for index in list.indices where list[index].number == topic.number { list[index].partitions = partitions }
        }
        host.log(.warning, "topic \(topic.name) has grown from \(topic.partitions) to \(partitions) partitions: new ones are used after a restart")
        host.topicGrew(topic.number, partitions: partitions)
    }

    private func remember(_ topic: Known) {
        known.withLock { list in
            list.removeAll { $0.number == topic.number }
            list.append(topic)
        }
    }

    private func learnLimit(_ number: UInt32, _ name: String, _ broker: Int32) {
        guard let limit = limits.ask(name, client, broker) else { return }
        if !compresses { entries[Int(number)].recordBytesMax = max(limit - TopicLimits.overhead, 1) }
        if limit < batchBytesMax {
            host.log(
                .warning,
                "topic \(name) takes \(limit) bytes at once (max.message.bytes) and batches may have \(batchBytesMax): "
                    + "set batch.size in options.kafka to \(limit) or less, or full batches will be refused")
        }
    }

    private func keep(_ number: UInt32, _ handle: OpaquePointer) {
        entries[Int(number)].handle = handle
        used = max(used, Int(number) + 1)
    }
}
