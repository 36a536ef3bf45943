import Glibc
import LibRDKafka
import PluginABI
import PluginKit
import Synchronization

/// A librdkafka producer with the two threads that serve it: one takes delivery reports, one asks after the brokers (`BrokerWatch`).
/// `submit` belongs to the lane; everything that touches a submission after it belongs to the poll thread.
final class Producer: @unchecked Sendable {
    // SAFETY: `table` is split by thread as its comments say, `failures` is the poll thread's until it has been joined,
    // the rest is immutable or atomic.
    let handle: OpaquePointer
    let host: PluginHost
    let table = SubmissionTable()
    let health: BrokerHealth
    let topicLimits = TopicLimits()
    private let mainQueue: OpaquePointer
    private let context: UnsafeMutablePointer<CallbackContext>
    private var pollThread: Thread?
    /// What waits before librdkafka. Set before `start`.
    private var departures: Departures?
    /// At least so long between two departures, unless a flight is full; nanoseconds.
    private let linger: UInt64

    /// Failed records by slot. [poll thread]
    private var failures: [UInt32: [cdcp_failure]] = [:]
    private let stopping = Atomic<Bool>(false)
    /// Holds completions back until librdkafka has let go of the records' memory.
    private var held: [(id: UInt64, failures: [cdcp_failure])]?
    /// librdkafka's fatal error has been seen: this producer sends nothing any more.
    let dead = Atomic<Bool>(false)
    var isDead: Bool { dead.load(ordering: .acquiring) }
    /// What all that is outstanding has met, where it is not what librdkafka says of it; 0: nothing.
    private let verdict = Atomic<Int32>(0)

    /// Longest wait of the poll thread, in milliseconds.
    private static let pollWait: Int32 = 200
    /// How often it looks up while a flight is under way, in milliseconds.
    private static let flightWait: Int32 = 50

    /// - Throws: CDCP_E_CONFIG where librdkafka refuses the configuration, e.g. a certificate file that is not there.
    init(_ configuration: ClientConfiguration, host: PluginHost) throws(StageError) {
        guard let conf = configuration.duplicate() else { throw .fatal("librdkafka gave no configuration") }
        self.host = host
        linger = configuration.lingerNanoseconds
        health = BrokerHealth(host)
        context = .allocate(capacity: 1)
        context.initialize(to: CallbackContext(slots: table.slots, host: host))
        rd_kafka_conf_set_opaque(conf, context)
        rd_kafka_conf_set_dr_msg_cb(conf, deliveryReport)
        rd_kafka_conf_set_error_cb(conf, clientError)
        rd_kafka_conf_set_log_cb(conf, clientLog)
        var why = [CChar](repeating: 0, count: 512)
        guard let handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, &why, why.count) else {
            rd_kafka_conf_destroy(conf)
            context.deallocate()
            throw .config("librdkafka refuses the options.kafka: \(text(why))")
        }
        self.handle = handle
        mainQueue = rd_kafka_queue_get_main(handle)
    }

    /// Starts the poll thread.
    func start(_ departures: Departures) throws(StageError) {
        self.departures = departures
        context.pointee.producer = Unmanaged.passUnretained(self)
        pollThread = try Thread("kafka-poll") { [unowned self] in poll() }
    }

    /// Joins the poll thread and gives up what is not delivered by then. Nothing is sent after it.
    func drain(timeoutNanoseconds: UInt64) {
        if !dead.load(ordering: .acquiring) { _ = flush(timeoutNanoseconds: timeoutNanoseconds) }
        stopping.store(true, ordering: .releasing)
        rd_kafka_queue_yield(mainQueue)
        pollThread?.join()
        pollThread = nil
        held = []
        if table.outstanding.load(ordering: .acquiring) > 0 {
            departures?.refuse(RD_KAFKA_RESP_ERR__PURGE_QUEUE)
            rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
            let end = Clock.now() &+ 5 * Clock.second
            while table.outstanding.load(ordering: .acquiring) > 0 && Clock.now() < end {
                rd_kafka_poll(handle, 10)
            }
        }
    }

    /// Ends librdkafka, after `drain` and without topic handles. No completion comes after it.
    func destroy() {
        rd_kafka_queue_destroy(mainQueue)
        // From here on no thread of librdkafka looks at a record's bytes, not even one that is half written to a socket.
        rd_kafka_destroy(handle)
        let waiting = held ?? []
        held = nil
        for submission in waiting { complete(submission.id, submission.failures) }
        context.deallocate()
    }

    /// Returns when nothing is outstanding, CDCP_E_RETRY when the time is over.
    func flush(timeoutNanoseconds: UInt64) -> cdcp_status {
        let (end, overflow) = Clock.now().addingReportingOverflow(timeoutNanoseconds)
        while table.outstanding.load(ordering: .acquiring) > 0 {
            guard overflow || Clock.now() < end else { return CDCP_E_RETRY }
            usleep(500)
        }
        return CDCP_OK
    }

    /// Takes a submission; it leaves with the next flight. [lane]
    func submit(_ submission: UnsafePointer<cdcp_submission>) -> cdcp_status {
        let count = submission.pointee.record_count
        guard count > 0 else {
            host.complete(submission.pointee.id)
            return CDCP_OK
        }
        guard submission.pointee.records != nil, let departures else { return CDCP_E_FATAL }
        guard let slot = table.take(submission.pointee.id, count: count) else { return CDCP_E_AGAIN }
        if departures.add(submission, slot) { rd_kafka_queue_yield(mainQueue) }
        return CDCP_OK
    }

    // MARK: poll thread

    private func poll() {
        guard let departures else { return }
        var departed: UInt64 = 0
        var before = 0
        while !stopping.load(ordering: .acquiring) {
            if dead.load(ordering: .acquiring) {
                departures.refuse(RD_KAFKA_RESP_ERR__FATAL)
                // Requests under way end by themselves: purging them would hand their memory back while it may still be written.
                rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_NON_BLOCKING)
            }
            if departures.isFlightEmpty { before = context.pointee.underWay }
            switch departures.board() {
            case .empty:
                if departures.watch() { rd_kafka_poll(handle, Self.pollWait) }
            case .open where Clock.now() &- departed < linger:
                rd_kafka_poll(handle, 1)
            case .open, .full:
                departures.depart()
                departed = Clock.now()
                awaitLanding(at: before, until: departed &+ (before > 0 ? Flight.overdueAgain : Flight.overdue))
            }
        }
    }

    /// librdkafka has so many records more. [poll thread]
    func sent(_ count: Int) { context.pointee.underWay &+= count }

    /// Sends what librdkafka holds, and returns when it has been reported, or when that takes too long. librdkafka only hurries as long as a flush is
    /// under way.
    private func awaitLanding(at before: Int, until end: UInt64) {
        context.pointee.before = before
        repeat {
            rd_kafka_flush(handle, Self.flightWait)
        } while context.pointee.underWay > before && Clock.now() < end && !stopping.load(ordering: .acquiring) && !dead.load(ordering: .acquiring)
        context.pointee.before = -1
    }

    /// One record was not delivered.
    /// - Parameter wholeBatch: it may have shared the fate of the batch that it was in.
    func settle(_ tag: UnsafeMutableRawPointer?, _ error: rd_kafka_resp_err_t, wholeBatch: Bool = false) {
        let (slot, record) = SubmissionTable.parts(tag)
        let entry = table.slots + Int(slot)
        let verdict = verdict.load(ordering: .acquiring)
        let failure = DeliveryFailure(verdict == 0 ? error : rd_kafka_resp_err_t(verdict), wholeBatch: wholeBatch)
        failures[slot, default: []].append(failure.record(record))
        entry.pointee.failed = true
        // Nothing may overtake a record that is to be sent again.
        if failure.cls != CDCP_FAIL_RECORD { die(failure) }
        entry.pointee.settled &+= 1
        if entry.pointee.settled == entry.pointee.count { finish(slot) }
    }

    /// All records of a submission have been settled.
    func finish(_ slot: UInt32) {
        let entry = table.slots + Int(slot)
        let id = entry.pointee.id
        if !entry.pointee.failed && held == nil {
            host.complete(id)
            table.give(slot)
            health.report(well: true, "the brokers acknowledge records")
            return
        }
        let list = entry.pointee.failed ? failures.removeValue(forKey: slot) ?? [] : []
        if held != nil { held?.append((id, list)) } else { complete(id, list) }
        table.give(slot)
    }

    private func complete(_ id: UInt64, _ list: [cdcp_failure]) {
        if list.isEmpty { host.complete(id) } else { host.complete(id, failures: list) }
    }

    /// What librdkafka says of the client as a whole.
    func noticed(_ error: rd_kafka_resp_err_t, _ reason: String) {
        switch error {
        case RD_KAFKA_RESP_ERR__FATAL: die(DeliveryFailure(error))
        case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN: health.report(well: false, health.reason(or: reason))
        case RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR__SSL, RD_KAFKA_RESP_ERR__RESOLVE: health.remember(error, reason)
        default: break
        }
    }

    /// Waiting makes no sense any more: everything outstanding fails with this error. [any]
    func giveUp(_ error: rd_kafka_resp_err_t, _ reason: String) {
        verdict.store(error.rawValue, ordering: .releasing)
        if !dead.exchange(true, ordering: .acquiringAndReleasing) { host.log(.error, reason) }
        rd_kafka_queue_yield(mainQueue)
    }

    /// Sends nothing more. What is queued comes back as failures.
    private func die(_ failure: DeliveryFailure) {
        guard held == nil, !dead.exchange(true, ordering: .acquiringAndReleasing) else { return }
        var why = [CChar](repeating: 0, count: 512)
        let fatal = rd_kafka_fatal_error(handle, &why, why.count)
        let reason = fatal == RD_KAFKA_RESP_ERR_NO_ERROR ? failure.reason : "\(text(fatal)): \(text(why))"
        let cure = failure.cls == CDCP_FAIL_RETRYABLE ? "; what is not acknowledged is to be sent again by a new one" : ""
        host.log(.error, "the producer stops: \(reason)\(cure)")
        health.report(well: false, reason)
    }
}
