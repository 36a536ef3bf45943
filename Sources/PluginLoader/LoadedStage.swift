public import PluginABI
public import Settings

/// What a stage is for.
public enum StageRole: UInt32, Sendable, CaseIterable, CustomStringConvertible {
    /// Bytes of the replication protocol to rows.
    case decoder = 1
    /// Rows to the same rows, changed, dropped or failed.
    case transform
    /// Rows to records.
    case codec
    /// Gives each record its partition.
    case partitioner
    /// Takes the records away.
    case sink

    /// The role's word in messages.
    public var description: String {
        switch self {
        case .decoder: "decoder"
        case .transform: "transform"
        case .codec: "codec"
        case .partitioner: "partitioner"
        case .sink: "sink"
        }
    }
}

/// What a stage says of itself (CDCP_STAGE_*). Bits of later minors are kept and mean nothing here.
public struct StageFlags: OptionSet, Sendable {
    /// The bits of a descriptor.
    public let rawValue: UInt64

    /// What these bits say.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Fail closed: values of failing rows are never shown.
    public static let sensitive = StageFlags(rawValue: UInt64(CDCP_STAGE_SENSITIVE))
    /// Same input, same output.
    public static let deterministic = StageFlags(rawValue: UInt64(CDCP_STAGE_DETERMINISTIC))
    /// Keeps something from batch to batch.
    public static let stateful = StageFlags(rawValue: UInt64(CDCP_STAGE_STATEFUL))
    /// Sees BEGIN, COMMIT, SCHEMA and HEARTBEAT.
    public static let wantsMarkers = StageFlags(rawValue: UInt64(CDCP_STAGE_WANTS_MARKERS))
    /// May declare another output shape.
    public static let reshapes = StageFlags(rawValue: UInt64(CDCP_STAGE_RESHAPES))
    /// A sink that takes only records with a partition.
    public static let needsPartitions = StageFlags(rawValue: UInt64(CDCP_STAGE_NEEDS_PARTITIONS))

    /// Words for people.
    public var names: [String] {
        let known: [(StageFlags, String)] = [
            (.sensitive, "sensitive"), (.deterministic, "deterministic"), (.stateful, "stateful"), (.wantsMarkers, "wants markers"),
            (.reshapes, "reshapes"),
            (.needsPartitions, "needs partitions"),
        ]
        return known.filter { contains($0.0) }.map(\.1)
    }
}

/// One stage of a loaded library, checked: no slot of its tables is NULL.
public struct LoadedStage: @unchecked Sendable {
    // SAFETY: immutable; the pointers lead to static storage of a library that is never unloaded.

    /// What it is for.
    public let role: StageRole
    /// Unique in its library.
    public let id: String
    /// Its own version.
    public let version: String
    /// One line.
    public let summary: String
    /// What it says of itself.
    public let flags: StageFlags
    /// The options that it takes.
    public let schema: OptionSchema
    /// The same as its author wrote it.
    public let schemaJSON: JSONValue
    /// The plugin's own descriptor, for `create`. (plugin) static.
    public let desc: UnsafePointer<cdcp_stage_desc>
    /// In the host's size.
    public let life: cdcp_lifecycle
    /// In the host's size; exactly the one of `role` is there.
    public let decoder: cdcp_decoder_ops?
    /// See `decoder`.
    public let transform: cdcp_transform_ops?
    /// See `decoder`.
    public let codec: cdcp_codec_ops?
    /// See `decoder`.
    public let partitioner: cdcp_partitioner_ops?
    /// See `decoder`.
    public let sink: cdcp_sink_ops?
    /// Of a decoder: the output plugin of its slot, "pgoutput".
    public let outputPlugin: String?
}
