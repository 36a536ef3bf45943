import Glibc
import LibRDKafka
import PluginKit
import Synchronization

/// Asks the brokers something now and then, so that an idle stream too notices that they are away, and topics that grow.
final class BrokerWatch: @unchecked Sendable {
    // SAFETY: `thread` belongs to the control thread, the rest is immutable or atomic.
    private let producer: Producer
    private let topics: TopicCatalog
    private let stopping = Atomic<Bool>(false)
    private var thread: Thread?

    /// Between two questions, and for an answer: two unanswered ones take 18 s at most.
    private static let interval: UInt64 = 8 * Clock.second
    private static let timeout: Int32 = 5000
    /// How often all brokers may refuse the credentials before waiting makes no sense: a restarting broker may not have read them yet.
    private static let refusalsMax = 2
    /// Topics asked after at each turn.
    private static let share = 8

    init(_ producer: Producer, _ topics: TopicCatalog) {
        self.producer = producer
        self.topics = topics
    }

    func start() throws(StageError) { thread = try Thread("kafka-watch") { [unowned self] in watch() } }

    /// Joins the thread; takes as long as an unanswered question.
    func stop() {
        stopping.store(true, ordering: .releasing)
        thread?.join()
        thread = nil
    }

    private func watch() {
        var next = 0
        var unanswered = 0
        while !stopping.load(ordering: .acquiring) {
            let error = ask(&next)
            if error == RD_KAFKA_RESP_ERR_NO_ERROR {
                unanswered = 0
                if !producer.dead.load(ordering: .relaxed) { producer.health.report(well: true, "the brokers answer") }
            } else {
                unanswered += 1
                if unanswered > 1 {
                    producer.health.report(well: false, "no broker answers: \(producer.health.reason(or: text(error)))")
                }
                if unanswered > Self.refusalsMax, let refusal = producer.health.permanentRefusal {
                    producer.giveUp(RD_KAFKA_RESP_ERR__AUTHENTICATION, "the brokers refuse the client: \(refusal)")
                }
                Clock.sleep(milliseconds: 200)
                if unanswered <= 1 { continue }
            }
            pause()
        }
    }

    private func ask(_ next: inout Int) -> rd_kafka_resp_err_t {
        let list = topics.list
        guard !list.isEmpty else { return Metadata.probe(producer.handle, timeout: Self.timeout) }
        for _ in 0..<min(Self.share, list.count) {
            let topic = list[next % list.count]
            next = (next + 1) % list.count
            switch Metadata.of(topic.handle, producer.handle, timeout: Self.timeout) {
            case .partitions(let count, _, _) where count > topic.partitions: topics.grew(topic, to: count)
            case .failed(let error): return error
            default: break
            }
            if stopping.load(ordering: .acquiring) { break }
        }
        return RD_KAFKA_RESP_ERR_NO_ERROR
    }

    private func pause() {
        let end = Clock.now() &+ Self.interval
        while Clock.now() < end && !stopping.load(ordering: .acquiring) { Clock.sleep(milliseconds: 50) }
    }
}
