public import Files
import Synchronization

/// The structured log: one line an event. Any thread; a line is written before the call returns, whole and not mixed with another.
///
/// A log that cannot be written does not stop the stream: the line is counted in `lost` and the next one is tried again.
public final class Log: Sendable {
    /// What a reload may change.
    public struct Configuration: Sendable {
        /// Lines below this level are not made.
        public var level: LogLevel
        /// Text or JSON.
        public var format: LogFormat
        /// Where lines go.
        public var output: any LogOutput

        /// All of it.
        public init(level: LogLevel, format: LogFormat, output: any LogOutput) {
            self.level = level
            self.format = format
            self.output = output
        }
    }

    /// Lines of one event of one stage at once, and the time in which one more becomes free.
    public static let limitBurst = 10
    /// See `limitBurst`.
    public static let limitInterval = Duration.seconds(6)

    private struct State {
        var configuration: Configuration
        var limit = LogRateLimit(burst: Log.limitBurst, interval: Log.limitInterval)
    }

    private let state: Mutex<State>
    private let threshold: Atomic<UInt8>
    private let lostLines = Atomic<UInt64>(0)
    private let wallTime: @Sendable () -> WallTime
    private let uptime: @Sendable () -> Duration

    /// - Parameters:
    ///   - wallTime: for the lines' timestamps.
    ///   - uptime: monotonic, for the rate limit; by default the time since this log was made.
    public init(_ configuration: Configuration, wallTime: @escaping @Sendable () -> WallTime, uptime: (@Sendable () -> Duration)? = nil) {
        state = Mutex(State(configuration: configuration))
        threshold = Atomic(configuration.level.rawValue)
        self.wallTime = wallTime
        let start = ContinuousClock.now
        self.uptime = uptime ?? { ContinuousClock.now - start }
    }

    /// Would a line of this level be written? For callers whose fields are costly.
    public func writes(_ level: LogLevel) -> Bool { level.rawValue >= threshold.load(ordering: .relaxed) }

    /// Writes an event; fields in the order given.
    public func write(_ level: LogLevel, _ event: String, _ fields: KeyValuePairs<String, LogValue> = [:]) {
        guard writes(level) else { return }
        emit(level, event, fields.map { ($0.key, $0.value) })
    }

    /// Writes an event whose fields were gathered in an array.
    public func write(_ level: LogLevel, _ event: String, fields: [(key: String, value: LogValue)]) {
        guard writes(level) else { return }
        emit(level, event, fields)
    }

    /// An event for those who look for a fault.
    public func debug(_ event: String, _ fields: KeyValuePairs<String, LogValue> = [:]) { write(.debug, event, fields) }
    /// An event that operators may want to know.
    public func info(_ event: String, _ fields: KeyValuePairs<String, LogValue> = [:]) { write(.info, event, fields) }
    /// An event that operators should look at.
    public func warning(_ event: String, _ fields: KeyValuePairs<String, LogValue> = [:]) { write(.warning, event, fields) }
    /// An event that stops or loses something.
    public func error(_ event: String, _ fields: KeyValuePairs<String, LogValue> = [:]) { write(.error, event, fields) }

    /// Writes an event that may come very often, such as a plugin's own lines: `limitBurst` at once per event and stage, then one each
    /// `limitInterval`; the next line that passes says how many did not (`suppressed`).
    public func limited(_ level: LogLevel, _ event: String, stage: String, _ fields: KeyValuePairs<String, LogValue> = [:]) {
        guard writes(level) else { return }
        let now = uptime()
        switch state.withLock({ $0.limit.admit(event: event, stage: stage, now: now) }) {
        case .drop: return
        case .pass(let suppressed):
            var all: [(key: String, value: LogValue)] = [("stage", .text(stage))]
            all += fields.map { ($0.key, $0.value) }
            if suppressed > 0 { all.append(("suppressed", .unsigned(suppressed))) }
            emit(level, event, all)
        }
    }

    /// Takes a new level, format and output, from the next line on.
    public func reconfigure(_ configuration: Configuration) {
        state.withLock { $0.configuration = configuration }
        threshold.store(configuration.level.rawValue, ordering: .relaxed)
    }

    /// Opens the log file anew (USR1). On an error the old one stays in use.
    public func reopen() throws(FileError) {
        try state.withLock { $0.configuration.output }.reopen()
    }

    /// Lines that could not be written since the start.
    public var lost: UInt64 { lostLines.load(ordering: .relaxed) }

    private func emit(_ level: LogLevel, _ event: String, _ fields: [(key: String, value: LogValue)]) {
        let line = LogLine(time: wallTime(), level: level, event: event, fields: fields)
        let (format, output) = state.withLock { ($0.configuration.format, $0.configuration.output) }
        do throws(FileError) {
            try output.write(Array(line.rendered(format).utf8))
        } catch {
            lostLines.wrappingAdd(1, ordering: .relaxed)
        }
    }
}
