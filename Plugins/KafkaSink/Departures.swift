import LibRDKafka
import PluginABI
import Synchronization

/// Submissions on their way to librdkafka, in order. The lane brings them, the poll thread takes them in flights (`Flight`).
final class Departures: @unchecked Sendable {
    // SAFETY: `arrivals` has a lock; the rest is the poll thread's. The host pins a submission until it is completed.
    private struct Waiting: @unchecked Sendable {
        let submission: UnsafePointer<cdcp_submission>
        let slot: UInt32
        let count: UInt32
    }

    private struct Arrivals {
        var list: [Waiting] = []
        /// The poll thread sleeps, and wants to be woken by the first arrival.
        var isWatched = false
    }

    private let arrivals = Mutex(Arrivals())
    private let sender: RecordSender
    private var flight: Flight
    // Those at hand; [poll thread].
    private var list: [Waiting] = []
    private var next = 0
    private var nextRecord: UInt32 = 0

    init(_ sender: RecordSender, _ flight: Flight) {
        self.sender = sender
        self.flight = flight
    }

    /// One more, behind the others. [lane]
    /// - Returns: whether the poll thread has to be woken.
    func add(_ submission: UnsafePointer<cdcp_submission>, _ slot: UInt32) -> Bool {
        let one = Waiting(submission: submission, slot: slot, count: submission.pointee.record_count)
        return arrivals.withLock { arrivals in
            arrivals.list.append(one)
            defer { arrivals.isWatched = false }
            return arrivals.isWatched
        }
    }

    /// Asked before the poll thread goes to sleep: is there nothing to do? [poll thread]
    func watch() -> Bool {
        guard next == list.count else { return false }
        return arrivals.withLock { arrivals in
            arrivals.isWatched = arrivals.list.isEmpty
            return arrivals.isWatched
        }
    }

    /// What came of boarding.
    enum Boarding {
        /// Nothing is aboard, and nothing waits.
        case empty
        /// All that waited is aboard, and there is room for more.
        case open
        /// Something waits for the next flight.
        case full
    }

    /// Hands what waits to librdkafka, as far as the flight takes it. [poll thread]
    func board() -> Boarding {
        while !sender.isOver, let first = first() {
            nextRecord = sender.send(first.submission, first.slot, from: nextRecord, &flight)
            guard nextRecord == first.count else { return .full }
            advance()
        }
        return flight.isEmpty ? .empty : .open
    }

    var isFlightEmpty: Bool { flight.isEmpty }

    /// What is aboard goes: the next flight begins. [poll thread]
    func depart() { flight.clear() }

    /// Nothing goes any more: all that waits has met this error. [poll thread, or none]
    func refuse(_ error: rd_kafka_resp_err_t) {
        while let first = first() {
            while nextRecord < first.count {
                sender.refuse(first.slot, nextRecord, error)
                nextRecord &+= 1
            }
            advance()
        }
    }

    private func advance() {
        next &+= 1
        nextRecord = 0
    }

    private func first() -> Waiting? {
        if next == list.count {
            list.removeAll(keepingCapacity: true)
            next = 0
            arrivals.withLock { swap(&list, &$0.list) }
        }
        return next < list.count ? list[next] : nil
    }
}
