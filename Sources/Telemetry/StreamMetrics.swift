/// What a row may be, as the label `op` says it.
public enum RowOp: String, Sendable, CaseIterable {
    case insert, update, delete, truncate, message, read
}

/// The two ends of the stream, as the label `side` says it.
public enum StreamSide: String, Sendable, CaseIterable {
    case source, sink
}

/// The counters of one table, one for each op. Made when the table is bound, held by the data path.
public struct RowCounters: Sendable {
    private let counters: [Counter]

    init(table: String, registry: MetricsRegistry) {
        counters = RowOp.allCases.map { registry.counter(.rows, table, $0.rawValue) }
    }

    /// The counter of one op.
    public subscript(op: RowOp) -> Counter {
        switch op {
        case .insert: counters[0]
        case .update: counters[1]
        case .delete: counters[2]
        case .truncate: counters[3]
        case .message: counters[4]
        case .read: counters[5]
        }
    }
}

/// The host's metrics as typed values over a registry. Any thread; the functions belong to bind time, the constants to the data path.
public final class StreamMetrics: Sendable {
    /// Where the series are; `PrometheusText.render` takes it.
    public let registry: MetricsRegistry
    /// `cdc_transactions_total`
    public let transactions: Counter
    /// `cdc_received_bytes_total`
    public let receivedBytes: Counter
    /// `cdc_batches_total`
    public let batches: Counter
    /// `cdc_in_flight_bytes`
    public let inFlightBytes: Gauge
    /// `cdc_received_lsn`
    public let receivedLSN: Gauge
    /// `cdc_acknowledged_lsn`
    public let acknowledgedLSN: Gauge
    /// `cdc_confirmed_lsn`
    public let confirmedLSN: Gauge
    /// `cdc_lag_bytes`
    public let lagBytes: Gauge
    /// `cdc_lag_seconds`
    public let lagSeconds: RealGauge
    /// `cdc_slot_retained_bytes`
    public let slotRetainedBytes: Gauge
    /// `cdc_snapshot_fraction`
    public let snapshotFraction: RealGauge
    /// `cdc_reloads_total{result="ok"}`
    public let reloadsOK: Counter
    /// `cdc_reloads_total{result="refused"}`
    public let reloadsRefused: Counter
    /// `cdc_reload_pause_seconds`
    public let reloadPause: Histogram

    /// The states that `cdc_slot_state` knows: PostgreSQL's `wal_status`, and `missing`.
    public static let slotStates = ["reserved", "extended", "unreserved", "lost", "missing"]

    /// Makes the series that have no labels of their own, so that the first scrape shows them at 0, and names the others.
    /// - Parameter version: the host's, for `cdc_build_info`.
    public init(stream: String, version: String) {
        let registry = MetricsRegistry(stream: stream)
        self.registry = registry
        transactions = registry.counter(.transactions)
        receivedBytes = registry.counter(.receivedBytes)
        batches = registry.counter(.batches)
        inFlightBytes = registry.gauge(.inFlightBytes)
        receivedLSN = registry.gauge(.receivedLSN)
        acknowledgedLSN = registry.gauge(.acknowledgedLSN)
        confirmedLSN = registry.gauge(.confirmedLSN)
        lagBytes = registry.gauge(.lagBytes)
        lagSeconds = registry.realGauge(.lagSeconds)
        slotRetainedBytes = registry.gauge(.slotRetainedBytes)
        snapshotFraction = registry.realGauge(.snapshotFraction)
        reloadsOK = registry.counter(.reloads, "ok")
        reloadsRefused = registry.counter(.reloads, "refused")
        reloadPause = registry.histogram(.reloadPause, bounds: Histogram.pauseBounds)
        registry.replace(.buildInfo, [([version], 1)])
        registry.declare([.rows, .recordsAcknowledged, .deadLetters, .skipped, .stageSeconds, .slotState, .snapshotRows, .pluginInfo])
        for side in StreamSide.allCases { _ = registry.counter(.reconnects, side.rawValue) }
    }

    /// `cdc_rows_total` of a table, written `schema.table`.
    public func rows(table: String) -> RowCounters { RowCounters(table: table, registry: registry) }
    /// `cdc_records_acknowledged_total` of a topic.
    public func recordsAcknowledged(topic: String) -> Counter { registry.counter(.recordsAcknowledged, topic) }
    /// `cdc_dead_letters_total`; stage is the file's name without suffix.
    public func deadLetters(stage: String, code: String) -> Counter { registry.counter(.deadLetters, stage, code) }
    /// `cdc_skipped_total`
    public func skipped(stage: String, code: String) -> Counter { registry.counter(.skipped, stage, code) }
    /// `cdc_stage_seconds_total`
    public func stageSeconds(stage: String) -> TimeCounter { registry.time(.stageSeconds, stage) }
    /// `cdc_reconnects_total`
    public func reconnects(_ side: StreamSide) -> Counter { registry.counter(.reconnects, side.rawValue) }
    /// `cdc_snapshot_rows_total` of a table, written `schema.table`.
    public func snapshotRows(table: String) -> Counter { registry.counter(.snapshotRows, table) }

    /// Shows `state` as the slot's present state; one that is not among `slotStates` gets a series of its own.
    public func setSlotState(_ state: String) {
        let states = Self.slotStates + (Self.slotStates.contains(state) ? [] : [state])
        registry.replace(.slotState, states.map { ([$0], $0 == state ? 1 : 0) })
    }

    /// Shows the stages of the plan that runs from now on; those of the last plan vanish.
    public func setPlugins(_ plugins: [PluginInfo]) {
        registry.replace(.pluginInfo, plugins.map { ([$0.stage, $0.plugin, $0.version, $0.sha256, String($0.generation)], 1) })
    }

    /// `cdc_checkpoint_age_seconds`, asked for at each scrape; nil before the first checkpoint.
    public func checkpointAge(_ age: @escaping @Sendable () -> Duration?) {
        registry.callback(.checkpointAge) { age().map { .real($0.secondsValue) } }
    }
}

/// One stage of the running plan, as `cdc_plugin_info` shows it.
public struct PluginInfo: Sendable, Equatable {
    /// The stage file's name without suffix.
    public var stage: String
    /// The library's id.
    public var plugin: String
    /// The library's version.
    public var version: String
    /// SHA-256 of the code that executes, lower-case hex.
    public var sha256: String
    /// The plan that brought this code in.
    public var generation: UInt64

    /// All of it.
    public init(stage: String, plugin: String, version: String, sha256: String, generation: UInt64) {
        self.stage = stage
        self.plugin = plugin
        self.version = version
        self.sha256 = sha256
        self.generation = generation
    }
}
