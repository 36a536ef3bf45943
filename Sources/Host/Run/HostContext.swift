import Chain
import Glibc
import Settings
import Synchronization
import Telemetry

/// The version that `--version`, metrics and records show.
let hostVersion = "0.1.0"

/// What every part of a running host shares: settings, log, numbers, health, and whether a stop was asked for. Any thread.
final class HostContext: Sendable {
    let directory: String
    let settings: HostSettings
    let log: Log
    let metrics: StreamMetrics
    /// Where a line of progress is redrawn; nil: standard error is no terminal.
    let terminal: TerminalLine?
    /// Progress of the snapshot, for `/status`.
    let snapshotStatus = Mutex<RunShared.SnapshotStatus?>(nil)
    private let health = Mutex(Health())
    private let startTime = monotonicNow()
    private let stageBeat = Mutex<(beat: ThreadBeat, thread: UInt)?>(nil)
    private let fatalExit = Mutex<HostExit?>(nil)
    private let calls = Mutex<[StageCall]>([])
    private let stallWatch = Mutex(StallWatch())
    private let stopState = Mutex(StopState())

    /// A call of a stage's life that has not returned, "30-masking: configure".
    private struct StageCall: Equatable {
        let text: String
        let thread: UInt
    }

    private struct StopState {
        var requested = false
        var forced = false
        var deadline: UInt64?
        var forcedAt: UInt64?
        var outcome: HostExit?
        /// There may be something in flight.
        var runs = false
        /// The last line of the log is being written.
        var isSpoken = false
        /// It ends, and not cleanly: nothing is gained by waiting for a sink.
        var isLate: Bool { outcome.map { $0.code != .clean } ?? false }
        var handlers: [@Sendable (_ forced: Bool) -> Void] = []
    }

    init(directory: String, settings: HostSettings, log: Log, terminal: TerminalLine?) {
        self.terminal = terminal
        self.directory = directory
        self.settings = settings
        self.log = log
        metrics = StreamMetrics(stream: settings.name, version: hostVersion)
        ProcessMetrics.register(in: metrics.registry)
    }

    /// Monotonic time since the start: the clock of health.
    var uptime: Duration { .nanoseconds(Int64(monotonicNow() - startTime)) }

    func withHealth<R>(_ body: (inout Health, Duration) -> R) -> R {
        let now = uptime
        return health.withLock { body(&$0, now) }
    }

    func enter(_ phase: HealthPhase, _ detail: String = "") { withHealth { $0.enter(phase, detail, at: $1) } }

    /// Runs `body` with the stage thread under watch: one that does not come round any more, in a plugin that hangs for one, is no living process.
    func watchingStageThread<R>(_ body: () -> R) -> R {
        let beat = withHealth { $0.register(thread: "stage", at: $1) }
        stageBeat.withLock { $0 = (beat, UInt(pthread_self())) }
        defer {
            stageBeat.withLock { $0 = nil }
            withHealth { health, _ in health.unregister(beat) }
        }
        return body()
    }

    /// The stage thread came round.
    func stageTurned() { stageBeat.withLock { $0 }?.beat.beat(at: uptime) }

    /// Whether the stage thread comes round. Signal thread, at each tick.
    func watchStage() -> StallWatch.Verdict {
        let beat = stageBeat.withLock { $0?.beat.last }
        return stallWatch.withLock { $0.look(beat, at: uptime) }
    }

    /// A call of a stage's life begins, on this thread.
    func begins(_ call: String) { calls.withLock { $0.append(StageCall(text: call, thread: UInt(pthread_self()))) } }

    func returned(_ call: String) {
        let call = StageCall(text: call, thread: UInt(pthread_self()))
        calls.withLock { calls in
            if let index = calls.lastIndex(of: call) { calls.remove(at: index) }
        }
    }

    /// The call of a stage's life that the stage thread is in.
    var callOfStageThread: String? { stageBeat.withLock { $0?.thread }.flatMap(call(of:)) }

    /// The call of a stage's life that a thread is in.
    func call(of thread: UInt) -> String? { calls.withLock { $0.last { $0.thread == thread }?.text } }

    func isStageThread(_ thread: UInt) -> Bool { stageBeat.withLock { $0?.thread } == thread }

    // MARK: ending

    /// Why the host has to end although the stage thread could go on; set once.
    var fatal: HostExit? { fatalExit.withLock { $0 } }

    func fail(_ exit: HostExit) {
        fatalExit.withLock { $0 = $0 ?? exit }
        for handler in stopState.withLock({ $0.handlers }) { handler(true) }
    }

    /// A sink that is away for longer than `retry.give_up_after` ends the host; the source's own attempts are counted where they are made.
    func giveUpIfDue() {
        guard let limit = settings.retry.giveUpAfter, !isStopping, fatal == nil else { return }
        let away = withHealth { health, now in health.reasons(at: now).first { $0.code == "sink_away" } }
        guard let away, away.lasting >= limit else { return }
        fail(HostExit(.unavailable, "the sink is away: \(away.detail)", cure: "retry.give_up_after (\(limit.logText)) is over"))
    }


    var isStopping: Bool { stopState.withLock { $0.requested } }
    var isForced: Bool { stopState.withLock { $0.forced } }
    /// Monotonic nanoseconds until which a stop may drain; nil: no stop was asked for.
    var stopDeadline: UInt64? { stopState.withLock { $0.deadline } }

    /// Why the process ends, as soon as that is known: what still has to be taken down changes nothing about it.
    func conclude(_ exit: HostExit) { stopState.withLock { $0.outcome = $0.outcome ?? exit } }

    /// How the process has to end at once: it was to stop at once, and `HostContext.patience` later something still does not return; nil: all is well.
    var overdue: HostExit? {
        let call = calls.withLock { $0.last?.text }
        return stopState.withLock { state in
            guard let at = state.forcedAt, monotonicNow() >= at &+ (state.isLate ? Self.latePatience : Self.patience) else { return nil }
            return state.outcome
                ?? HostExit(
                    .temporary, "the stop did not come to its end: " + (call.map { "\($0) does not return" } ?? "a stage does not return"),
                    cure: "what was not confirmed will be repeated at the next start")
        }
    }

    /// Nanoseconds; longer than sinks and connections need to end.
    private static let patience: UInt64 = 3_000_000_000
    /// When the time of a stop is over and what is not delivered is repeated in any case.
    private static let latePatience: UInt64 = 500_000_000

    /// From now on a stop has something to drain.
    func runs() { stopState.withLock { $0.runs = true } }

    /// The time that a stop had is over. While the host starts there is nothing to drain: then what does not return is given its patience within it.
    var isStopOver: Bool {
        stopState.withLock { state in
            guard let deadline = state.deadline else { return false }
            return monotonicNow() >= (state.runs ? deadline : deadline &- min(deadline, Self.patience))
        }
    }

    /// Whether the caller is the first that wants to write the last line of the log.
    func takeLastWord() -> Bool {
        stopState.withLock { state in
            defer { state.isSpoken = true }
            return !state.isSpoken
        }
    }

    /// Calls `handler` when a stop is asked for, and again when it is to be at once; at once if it was already.
    func onStop(_ handler: @escaping @Sendable (_ forced: Bool) -> Void) {
        let (requested, forced) = stopState.withLock { state in
            state.handlers.append(handler)
            return (state.requested, state.forced)
        }
        if requested { handler(forced) }
    }

    /// TERM or INT; the second time, or when the time is over, at once.
    func requestStop(force: Bool) {
        let handlers = stopState.withLock { state in
            if !state.requested {
                let limit = settings.limits.stop.components
                state.deadline = monotonicNow() &+ UInt64(max(0, limit.seconds)) &* 1_000_000_000 &+ UInt64(limit.attoseconds / 1_000_000_000)
            }
            state.requested = true
            state.forced = state.forced || force
            if force { state.forcedAt = state.forcedAt ?? monotonicNow() }
            return state.handlers
        }
        for handler in handlers { handler(force) }
    }
}
