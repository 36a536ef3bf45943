public import PluginABI

/// Why a stage refuses: a status of the contract and a sentence for people (what, where, what to do; never a row's value).
public struct StageError: Error {
    /// What the call answers.
    public let status: cdcp_status
    /// For `set_error`: what, where, what to do.
    public let message: String

    /// A refusal that reaches the host with its reason.
    public init(_ status: cdcp_status, _ message: String) {
        self.status = status
        self.message = message
    }

    /// Wrong options, or a table that the options cannot work with: the host keeps the old plan.
    public static func config(_ message: String) -> StageError { StageError(CDCP_E_CONFIG, message) }
    /// The other side refuses the client, or a right that it needs.
    public static func permission(_ message: String) -> StageError { StageError(CDCP_E_PERMISSION, message) }
    /// The instance cannot go on: the host stops before the row at hand is acknowledged.
    public static func fatal(_ message: String) -> StageError { StageError(CDCP_E_FATAL, message) }
    /// Nothing was changed; the host calls again after a pause.
    public static func retry(_ message: String) -> StageError { StageError(CDCP_E_RETRY, message) }
}

/// What a stage says to a relation that it was shown.
public struct Binding {
    /// The shape of the rows it hands on; nil: as they came.
    public var output: UnsafePointer<cdcp_relation>?
    /// Comes back in the runs of that relation; the stage's own, freed in `unbind`.
    public var plan: UnsafeMutableRawPointer?

    /// - Parameter output: nil: the shape stays as it is.
    public init(output: UnsafePointer<cdcp_relation>? = nil, plan: UnsafeMutableRawPointer? = nil) {
        self.output = output
        self.plan = plan
    }
}

/// One instance of a stage. Subclass the role's class below and override what is needed; one virtual call a batch is all that it costs.
///
/// Threads: as tagged in `cdcplugin/lifecycle.h`; calls of one instance never overlap, unless a method says otherwise.
open class Stage {
    /// The host's services, valid as long as the instance.
    public let host: PluginHost

    public required init(host: PluginHost) { self.host = host }

    /// Reads the options, once. They have been checked against the schema and filled with its defaults. No I/O.
    open func configure(_ options: Options) throws(StageError) {}
    /// Ready to work from here on; threads may be started.
    open func activate(lane: UInt32, maxRows: UInt32) throws(StageError) {}
    /// Once a shape, before its first row. The relation is valid during the call, and as long as its plan is bound.
    open func bind(_ relation: UnsafePointer<cdcp_relation>) throws(StageError) -> Binding { Binding() }
    /// The plan is not used any more.
    open func unbind(_ plan: UnsafeMutableRawPointer?) {}
    /// All tables known at this start or reload have been bound.
    open func bindingsComplete() throws(StageError) {}
    /// Joins what `activate` started.
    open func deactivate(timeoutNanoseconds: UInt64) throws(StageError) {}
}

/// Bytes of the replication protocol in, rows out.
open class DecoderStage: Stage {
    /// Options for START_REPLICATION, without publication names.
    open func startOptions(serverVersion: UInt32) throws(StageError) -> [(name: String, value: String)] { [] }
    /// One message. Cells must point into it or at constant data.
    open func decode(
        _ message: UnsafeRawBufferPointer, walStart: UInt64, _ ops: UnsafePointer<cdcp_builder_ops>, _ builder: OpaquePointer
    ) -> cdcp_status { CDCP_E_UNSUPPORTED }
}

/// Rows in, the same rows out.
open class TransformStage: Stage {
    open func process(_ batch: UnsafeMutablePointer<cdcp_batch>) -> cdcp_status { CDCP_OK }
}

/// Rows in, records out.
open class CodecStage: Stage {
    open func encode(_ batch: UnsafeMutablePointer<cdcp_batch>, _ emitter: UnsafeMutablePointer<cdcp_emitter>) -> cdcp_status { CDCP_E_UNSUPPORTED }
}

/// Gives each record its partition.
open class PartitionerStage: Stage {
    open func assign(
        _ batch: UnsafePointer<cdcp_batch>, records: UnsafeMutableRawPointer, count: UInt32, stride: UInt32,
        topics: UnsafePointer<UnsafePointer<cdcp_topic>?>, topicCount: UInt32
    ) -> cdcp_status { CDCP_E_UNSUPPORTED }
}

/// A sink that can look for topics without making them, for `check`; between `activate` and `deactivate`.
public protocol TopicLooking: SinkStage {
    /// - Returns: the partitions that it has; nil: it is not there, and `topic` would make it.
    func look(forTopic name: String) throws(StageError) -> Int32?
}

/// Takes submissions, completes each once through `host.complete`.
open class SinkStage: Stage {
    /// Finds or makes a topic before its first record. Returns its partition count; 0 where there are no partitions.
    open func topic(_ number: UInt32, name: String) throws(StageError) -> Int32 { 0 }
    /// All or nothing, without blocking: CDCP_OK, CDCP_E_AGAIN or CDCP_E_FATAL.
    open func submit(_ submission: UnsafePointer<cdcp_submission>) -> cdcp_status { CDCP_E_UNSUPPORTED }
    /// Returns when everything submitted has been completed, or CDCP_E_RETRY when the time is over.
    open func flush(timeoutNanoseconds: UInt64) -> cdcp_status { CDCP_OK }
}
