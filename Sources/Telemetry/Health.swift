/// What the host is doing.
public enum HealthPhase: String, Sendable, Equatable, CaseIterable {
    /// Settings, plugins and connections are being made ready.
    case starting
    /// The slot cannot be made yet: PostgreSQL waits for transactions that were open before.
    case slotCreationWaiting = "slot_creation_waiting"
    /// Another process holds the slot.
    case slotHeld = "slot_held"
    case snapshot
    case streaming
    /// A stop was asked for; what is in flight drains.
    case stopping
    /// A reason to exit was found.
    case failed

    /// Can rows flow in this phase?
    var flows: Bool { self == .snapshot || self == .streaming }
}

/// Why rows cannot flow, in the order in which it matters.
public struct HealthReason: Sendable, Equatable {
    /// A word for machines: `source_away`, `sink_away`, `source_silent`, `sink_silent`, or a phase.
    public var code: String
    /// A sentence for people, without row values or secrets; may be empty.
    public var detail: String
    /// For how long.
    public var lasting: Duration

    /// A reason.
    public init(code: String, detail: String, lasting: Duration) {
        self.code = code
        self.detail = detail
        self.lasting = lasting
    }
}

/// The health of the stream as a value: what was reported goes in, liveness and readiness come out. Times are monotonic, since the start.
///
/// A side is *away* when its connection is lost; it is *silent* when it has been watched and has not been heard for `silenceMax`, which is
/// how an idle stream notices that a side is gone.
public struct Health: Sendable {
    /// A watched side that was not heard for this long is away.
    public static let silenceMax = Duration.seconds(30)
    /// A thread that did not go round its loop for this long hangs.
    public static let stallMax = Duration.seconds(60)

    private struct Side: Sendable {
        var away: (why: String, since: Duration)?
        var heard: Duration?
    }

    /// What the host does now.
    public private(set) var phase = HealthPhase.starting
    private var phaseDetail = ""
    private var phaseSince: Duration
    private var source = Side()
    private var sink = Side()
    private var beats: [ThreadBeat] = []

    /// A host that starts now.
    public init(at now: Duration = .zero) { phaseSince = now }

    /// The host does something else from now on. Repeating a phase keeps its start.
    /// - Parameter detail: a sentence for people: what it waits for, why it failed.
    public mutating func enter(_ phase: HealthPhase, _ detail: String = "", at now: Duration) {
        if phase != self.phase { phaseSince = now }
        self.phase = phase
        phaseDetail = detail
    }

    /// A side was lost. Repeating it keeps the time of the first loss.
    public mutating func away(_ side: StreamSide, _ why: String, at now: Duration) {
        change(side) { $0.away = (why, $0.away?.since ?? now) }
    }

    /// A side is connected.
    public mutating func present(_ side: StreamSide, at now: Duration) {
        change(side) { state in
            state.away = nil
            if state.heard != nil { state.heard = now }
        }
    }

    /// A side answered: a message, a keepalive, a delivery report, a metadata answer. The first call begins the watch over it.
    public mutating func heard(_ side: StreamSide, at now: Duration) {
        change(side) { $0.heard = now }
    }

    /// Ends the watch over a side that has no sign of life of its own.
    public mutating func unwatch(_ side: StreamSide) {
        change(side) { $0.heard = nil }
    }

    /// A sign of life for a thread, which counts for `liveness` from now on.
    public mutating func register(thread name: String, at now: Duration) -> ThreadBeat {
        let beat = ThreadBeat(name: name, now: now)
        beats.append(beat)
        return beat
    }

    /// A thread ended as it should.
    public mutating func unregister(_ beat: ThreadBeat) { beats.removeAll { $0 === beat } }

    /// Does the process work? Sides that are away do not matter here.
    /// - Returns: whether it does, and the sentence that says why not.
    public func liveness(at now: Duration) -> (ok: Bool, reason: String) {
        if phase == .failed { return (false, phaseDetail.isEmpty ? "the stream failed" : phaseDetail) }
        for beat in beats {
            let age = beat.age(at: now)
            if age > Self.stallMax { return (false, "the thread \(beat.name) has not moved for \(age.logText)") }
        }
        return (true, "")
    }

    /// Can rows flow?
    /// - Returns: whether they can, and the first reason why not.
    public func readiness(at now: Duration) -> (ok: Bool, reason: HealthReason?) {
        let first = reasons(at: now).first
        return (first == nil, first)
    }

    /// Everything that keeps rows from flowing.
    public func reasons(at now: Duration) -> [HealthReason] {
        var reasons: [HealthReason] = []
        if phase == .failed || phase == .stopping { reasons.append(phaseReason(now)) }
        for (name, side) in [(StreamSide.source, source), (.sink, sink)] {
            if let away = side.away {
                reasons.append(HealthReason(code: "\(name.rawValue)_away", detail: away.why, lasting: now - away.since))
            } else if let heard = side.heard, now - heard > Self.silenceMax {
                let detail = "no sign of life from the \(name.rawValue) for \((now - heard).logText)"
                reasons.append(HealthReason(code: "\(name.rawValue)_silent", detail: detail, lasting: now - heard))
            }
        }
        if !phase.flows && phase != .failed && phase != .stopping { reasons.append(phaseReason(now)) }
        return reasons
    }

    /// `/readyz`: 200 or 503 and one line of JSON.
    public func readyAnswer(at now: Duration) -> (status: Int, body: String) {
        let all = reasons(at: now)
        var members: [(String, JSONText)] = [("ready", .flag(all.isEmpty)), ("phase", .text(phase.rawValue))]
        if let first = all.first {
            members.append(("reason", .text(first.code)))
            if !first.detail.isEmpty { members.append(("detail", .text(first.detail))) }
            members.append(("seconds", .count(first.lasting.components.seconds)))
            if all.count > 1 { members.append(("also", .array(all.dropFirst().map { .text($0.code) }))) }
        }
        return (all.isEmpty ? 200 : 503, JSONText.object(members).rendered() + "\n")
    }

    /// `/healthz`: 200 or 503 and one line of JSON.
    public func healthAnswer(at now: Duration) -> (status: Int, body: String) {
        let (ok, reason) = liveness(at: now)
        let members: [(String, JSONText)] = [("alive", .flag(ok))] + (ok ? [] : [("reason", .text(reason))])
        return (ok ? 200 : 503, JSONText.object(members).rendered() + "\n")
    }

    private func phaseReason(_ now: Duration) -> HealthReason {
        HealthReason(code: phase.rawValue, detail: phaseDetail, lasting: now - phaseSince)
    }

    private mutating func change(_ side: StreamSide, _ body: (inout Side) -> Void) {
        switch side {
        case .source: body(&source)
        case .sink: body(&sink)
        }
    }
}
