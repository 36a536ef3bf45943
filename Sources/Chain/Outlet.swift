import Pipeline
import PluginABI

/// The last step of the stage thread's way: topics that are used for the first time, room for the records, and the sink's `submit`.
final class Outlet {
    private let gate: Gate
    private let inFlight: InFlight
    private let services: any HostServices
    private let observer: any LaneObserver
    private let attention: Attention
    private let whereabouts: Whereabouts
    /// Called whenever waiting comes round.
    var onTurn: (() -> Void)?
    /// Entered, and left here by a reload because the sink takes nothing more at the moment: they go before all others.
    private var left: [Submission] = []
    private static let leftMax = 64

    init(gate: Gate, inFlight: InFlight, services: any HostServices, observer: any LaneObserver, attention: Attention, whereabouts: Whereabouts) {
        self.gate = gate
        self.inFlight = inFlight
        self.services = services
        self.observer = observer
        self.attention = attention
        self.whereabouts = whereabouts
    }

    /// Topics that are used for the first time.
    func resolveTopics(_ plan: Plan, _ submission: Submission) throws(LaneStop) {
        for (topic, _) in submission.topicCounts where !services.topics.isResolved(topic) {
            let name = services.topics.name(topic)
            guard !name.isEmpty else {
                throw .stage(plan.stages[plan.codecIndex].failure("encode", CDCP_E_FATAL, "the plugin breaks the contract: a topic that host->topic never gave"))
            }
            let text = PermanentText.make(name)
            var pause: UInt64 = 50_000_000
            while true {
                var partitions: Int32 = 0
                whereabouts.enter(plan.sinkNumber)
                let status = plan.sink.code.sink?.topic?(plan.sink.pointer, topic, text, &partitions) ?? CDCP_E_UNSUPPORTED
                whereabouts.leave()
                if status == CDCP_OK {
                    services.topics.resolve(topic, partitions: partitions)
                    observer.topicReady(name: name)
                    break
                }
                let failure = plan.sink.failure("topic \(name)", status, "answered \(StageInstance.meaning(status))")
                guard status == CDCP_E_RETRY || status == CDCP_E_AGAIN else { throw .topic(name: name, failure: failure) }
                observer.topicDelayed(name: name, message: failure.message)
                try pauseChecking(pause)
                pause = min(pause * 2, 2_000_000_000)
            }
        }
    }

    /// Something has not been handed over yet.
    var isHolding: Bool { !left.isEmpty }

    /// Hands the submission over; a sink that is full is asked again, unless a reload waits for the stream's next boundary.
    func submit(_ plan: Plan, _ submission: Submission) throws(LaneStop) {
        try settle(plan)
        if left.isEmpty, try offer(plan, submission) { return }
        left.append(submission)
    }

    /// Hands over what a reload left here.
    func settle(_ plan: Plan) throws(LaneStop) {
        while let first = left.first, try offer(plan, first) { left.removeFirst() }
    }

    /// All of it comes again.
    func forget() { left.removeAll() }

    /// - Returns: false when a reload may not wait for it.
    private func offer(_ plan: Plan, _ submission: Submission) throws(LaneStop) -> Bool {
        let began = monotonicNow()
        var isTold = false
        defer { if isTold { observer.backpressure(begins: false, nanoseconds: monotonicNow() - began) } }
        while true {
            whereabouts.enter(plan.sinkNumber)
            let status = plan.sink.code.sink?.submit?(plan.sink.pointer, submission.pointer) ?? CDCP_E_UNSUPPORTED
            whereabouts.leave()
            if status == CDCP_OK { return true }
            let failure = plan.sink.failure("submit", status, "answered \(StageInstance.meaning(status))")
            guard status == CDCP_E_AGAIN || status == CDCP_E_RETRY else {
                // A sink that lost its producer says so by its completions, and then refuses: that is a rewind, not an end.
                if gate.locked({ inFlight.lossLocked }) != nil { throw .abandoned }
                throw .stage(failure)
            }
            if attention.isRaised(Attention.reload), !attention.isRaised(Attention.stop), left.count < Self.leftMax { return false }
            if !isTold, monotonicNow() - began > 1_000_000_000 {
                isTold = true
                observer.backpressure(begins: true, nanoseconds: monotonicNow() - began)
            }
            try pauseChecking(5_000_000)
        }
    }

    private func pauseChecking(_ nanoseconds: UInt64) throws(LaneStop) {
        onTurn?()
        let deadline = monotonicNow() + nanoseconds
        try gate.locked { () throws(LaneStop) in
            while monotonicNow() < deadline {
                if attention.isAbandoned || inFlight.lossLocked != nil { throw .abandoned }
                _ = gate.wait(until: deadline)
            }
        }
    }

    /// A reload that waits may go a quarter over the limit: a sink that is stuck must not keep the stream from its next boundary.
    private func admitsLocked(_ bytes: Int) -> Bool {
        let budget = inFlight.budget.value
        if budget.admits(records: bytes) { return true }
        return attention.isRaised(Attention.reload) && budget.records &+ bytes <= budget.recordLimit &+ budget.recordLimit / 4
    }

    /// Waits until so many more bytes may be on their way.
    func waitForRoom(_ bytes: Int) throws(LaneStop) {
        var began: UInt64?
        try gate.locked { () throws(LaneStop) in
            while !admitsLocked(bytes) {
                if attention.isAbandoned || inFlight.lossLocked != nil { throw .abandoned }
                let now = monotonicNow()
                if let began, now - began > 1_000_000_000 { break }
                began = began ?? now
                _ = gate.wait(until: now + 250_000_000)
            }
        }
        guard let began, monotonicNow() - began > 1_000_000_000 else { return }
        observer.backpressure(begins: true, nanoseconds: monotonicNow() - began)
        try gate.locked { () throws(LaneStop) in
            while !admitsLocked(bytes) {
                if attention.isAbandoned || inFlight.lossLocked != nil { throw .abandoned }
                onTurn?()
                _ = gate.wait(until: monotonicNow() + 250_000_000)
            }
        }
        observer.backpressure(begins: false, nanoseconds: monotonicNow() - began)
    }
}
