/// What a metric is: its name, its help, its kind and the labels that tell its series apart (`stream` comes with all of them).
public struct MetricDescription: Sendable, Equatable {
    /// The kinds of Prometheus' text format that the host uses.
    public enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    /// The name as scraped; a unit comes last, before `_total`.
    public let name: String
    /// One sentence for people.
    public let help: String
    /// How the value moves.
    public let kind: Kind
    /// Label names in the order of their values, without `stream`.
    public let labels: [String]

    /// Describes a metric; names are constants of the program, they are not checked.
    public init(_ name: String, _ kind: Kind, _ labels: [String] = [], help: String) {
        self.name = name
        self.help = help
        self.kind = kind
        self.labels = labels
    }
}

/// Every metric that the host exports. The names are part of the user's interface.
extension MetricDescription {
    /// Rows taken from the source.
    public static let rows = Self("cdc_rows_total", .counter, ["table", "op"], help: "Rows received from the server, by table and operation.")
    /// Transactions received whole.
    public static let transactions = Self("cdc_transactions_total", .counter, help: "Committed transactions received from the server.")
    /// Bytes of replication messages and snapshot rows.
    public static let receivedBytes = Self("cdc_received_bytes_total", .counter, help: "Bytes of row changes received from the server.")
    /// Records that the sink completed.
    public static let recordsAcknowledged = Self(
        "cdc_records_acknowledged_total", .counter, ["topic"], help: "Records acknowledged by the sink, by topic.")
    /// Rows that went to the dead-letter topic.
    public static let deadLetters = Self(
        "cdc_dead_letters_total", .counter, ["stage", "code"], help: "Rows written to the dead-letter topic, by the stage that refused them.")
    /// Rows dropped under `on_error: skip`.
    public static let skipped = Self(
        "cdc_skipped_total", .counter, ["stage", "code"], help: "Rows dropped because on_error is skip, by the stage that refused them.")
    /// Batches through the chain.
    public static let batches = Self("cdc_batches_total", .counter, help: "Batches passed through the stages.")
    /// Time inside a stage.
    public static let stageSeconds = Self("cdc_stage_seconds_total", .counter, ["stage"], help: "Time spent inside a stage, in seconds.")
    /// What waits.
    public static let inFlightBytes = Self(
        "cdc_in_flight_bytes", .gauge, help: "Bytes received or encoded that the sink has not yet completed; bounded by limits.in_flight.")
    /// The newest position received.
    public static let receivedLSN = Self("cdc_received_lsn", .gauge, help: "Log position up to which changes were received.")
    /// The position up to which all is acknowledged by the sink.
    public static let acknowledgedLSN = Self("cdc_acknowledged_lsn", .gauge, help: "Log position up to which the sink acknowledged everything.")
    /// The position that the server was told.
    public static let confirmedLSN = Self("cdc_confirmed_lsn", .gauge, help: "Log position confirmed to the server, after the checkpoint.")
    /// Distance from what was received to what is acknowledged.
    public static let lagBytes = Self("cdc_lag_bytes", .gauge, help: "Bytes of log between what was received and what the sink acknowledged.")
    /// Age of the oldest unacknowledged commit.
    public static let lagSeconds = Self("cdc_lag_seconds", .gauge, help: "Age of the oldest transaction that waits for the sink, in seconds.")
    /// Log kept for the slot.
    public static let slotRetainedBytes = Self("cdc_slot_retained_bytes", .gauge, help: "Bytes of log that the server keeps for the slot.")
    /// The slot's `wal_status`: 1 for the present one.
    public static let slotState = Self("cdc_slot_state", .gauge, ["state"], help: "1 for the present state of the slot, 0 for the others.")
    /// Connections made again.
    public static let reconnects = Self("cdc_reconnects_total", .counter, ["side"], help: "Connections made anew after a loss, by side.")
    /// Time since the checkpoint was written.
    public static let checkpointAge = Self("cdc_checkpoint_age_seconds", .gauge, help: "Seconds since the checkpoint was last written.")
    /// Rows of the snapshot.
    public static let snapshotRows = Self("cdc_snapshot_rows_total", .counter, ["table"], help: "Rows read by the snapshot, by table.")
    /// 0 to 1.
    public static let snapshotFraction = Self("cdc_snapshot_fraction", .gauge, help: "Part of the snapshot that is done, 0 to 1.")
    /// Reloads by outcome.
    public static let reloads = Self("cdc_reloads_total", .counter, ["result"], help: "Reloads of plugins.d, by result.")
    /// How long a reload held the stream.
    public static let reloadPause = Self("cdc_reload_pause_seconds", .histogram, help: "Seconds that a reload held the stream.")
    /// The code that runs.
    public static let pluginInfo = Self(
        "cdc_plugin_info", .gauge, ["stage", "plugin", "version", "sha256", "generation"], help: "1 for each stage of the running plan.")
    /// The host's version.
    public static let buildInfo = Self("cdc_build_info", .gauge, ["version"], help: "1; the label is the version of the host.")

    /// User and system time.
    public static let processCPU = Self("process_cpu_seconds_total", .counter, help: "User and system CPU time of the process, in seconds.")
    /// Resident set.
    public static let processResident = Self("process_resident_memory_bytes", .gauge, help: "Resident memory of the process, in bytes.")
    /// Address space.
    public static let processVirtual = Self("process_virtual_memory_bytes", .gauge, help: "Virtual memory of the process, in bytes.")
    /// Seconds since 1970.
    public static let processStart = Self("process_start_time_seconds", .gauge, help: "Start of the process, in seconds since 1970-01-01 UTC.")
    /// Descriptors in use.
    public static let processOpenFiles = Self("process_open_fds", .gauge, help: "File descriptors in use.")
    /// Descriptors allowed.
    public static let processMaxFiles = Self("process_max_fds", .gauge, help: "File descriptors allowed.")
    /// Threads.
    public static let processThreads = Self("process_threads", .gauge, help: "Threads of the process.")
}
