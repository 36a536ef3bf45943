public import PluginABI
public import Settings

/// What a stage may do, as its library says; the tables are complete (PluginLoader fills gaps with stubs).
public struct StageCode: @unchecked Sendable {
    // SAFETY: plain C tables and pointers to static storage of a library that is never unloaded.
    /// CDCP_ROLE_*
    public var role: UInt32
    /// The stage's, in its library.
    public var id: String
    /// The library's.
    public var pluginID: String
    /// The stage's.
    public var version: String
    /// CDCP_STAGE_*
    public var flags: UInt64
    /// Of the library's file.
    public var sha256: String
    /// Handed to `create`.
    public var descriptor: UnsafePointer<cdcp_stage_desc>
    /// The calls that every role has.
    public var life: cdcp_lifecycle
    /// Where the role is decoder.
    public var decoder: cdcp_decoder_ops?
    /// Where the role is transform.
    public var transform: cdcp_transform_ops?
    /// Where the role is codec.
    public var codec: cdcp_codec_ops?
    /// Where the role is partitioner.
    public var partitioner: cdcp_partitioner_ops?
    /// Where the role is sink.
    public var sink: cdcp_sink_ops?

    /// One of the five tables is given: that of the role.
    public init(
        role: UInt32, id: String, pluginID: String, version: String, flags: UInt64, sha256: String, descriptor: UnsafePointer<cdcp_stage_desc>,
        life: cdcp_lifecycle, decoder: cdcp_decoder_ops? = nil, transform: cdcp_transform_ops? = nil, codec: cdcp_codec_ops? = nil,
        partitioner: cdcp_partitioner_ops? = nil, sink: cdcp_sink_ops? = nil
    ) {
        self.role = role
        self.id = id
        self.pluginID = pluginID
        self.version = version
        self.flags = flags
        self.sha256 = sha256
        self.descriptor = descriptor
        self.life = life
        self.decoder = decoder
        self.transform = transform
        self.codec = codec
        self.partitioner = partitioner
        self.sink = sink
    }
}

/// What a stage does with rows that it cannot do.
public enum RowPolicy: Sendable, Equatable {
    case stop
    case skip
}

/// A stage that refused a call.
public struct StageFailure: Error, Sendable, CustomStringConvertible {
    /// The stage's name, "30-masking".
    public let stage: String
    /// The call, "configure".
    public let call: String
    /// What the call answered.
    public let status: cdcp_status
    /// What the stage said, or what its status means.
    public let message: String

    /// Of one call.
    public init(stage: String, call: String, status: cdcp_status, message: String) {
        self.stage = stage
        self.call = call
        self.status = status
        self.message = message
    }

    /// `30-masking: configure: …`
    public var description: String { stage.isEmpty ? message : "\(stage): \(message)" }
}

/// One instance of a stage, in the state that its lifecycle allows. Calls of one instance never overlap: the caller keeps the tags of lifecycle.h.
public final class StageInstance: @unchecked Sendable {
    // SAFETY: used by one thread at a time, as the contract demands; `lastError` is written inside calls only.
    /// Its file without suffix, "30-masking".
    public let name: String
    /// What it runs.
    public let code: StageCode
    /// Counts the plans of this process: the one that made this instance.
    public let generation: Int
    /// `on_error`
    public let onError: RowPolicy
    let matches: (@Sendable (_ schema: String, _ table: String) -> Bool)?
    let opsMask: UInt32
    let services: any HostServices
    let table: UnsafeMutablePointer<cdcp_host>
    var lastError = ""
    private(set) var pointer: UnsafeMutableRawPointer?
    private var isActive = false

    /// - Parameters:
    ///   - matches: `match.tables`; nil: every table.
    ///   - ops: `match.ops` as CDCP_OP_*; nil: every op.
    public init(
        name: String, code: StageCode, generation: Int, onError: RowPolicy,
        matches: (@Sendable (_ schema: String, _ table: String) -> Bool)?, ops: Set<UInt8>?, services: any HostServices
    ) {
        self.name = name
        self.code = code
        self.generation = generation
        self.onError = onError
        self.matches = matches
        opsMask = ops.map { $0.reduce(0) { $0 | (1 << UInt32($1)) } | 0xFFFF_0000 } ?? UInt32.max
        self.services = services
        table = .allocate(capacity: 1)
        table.initialize(to: HostTable.make(name: name, services: services))
        table.pointee.ctx = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit {
        if let pointer { code.life.destroy?(pointer) }
        table.deallocate()
    }

    /// CDCP_ROLE_*
    public var role: UInt32 { code.role }
    /// The table that it was given, valid as long as the instance.
    public var hostTable: UnsafePointer<cdcp_host> { UnsafePointer(table) }
    var wantsMarkers: Bool { code.flags & UInt64(CDCP_STAGE_WANTS_MARKERS) != 0 }
    /// Rows that fail at or before it never show values.
    public var isSensitive: Bool { code.flags & UInt64(CDCP_STAGE_SENSITIVE) != 0 }

    /// create and configure. No I/O.
    public func configure(_ options: OptionTree) throws(StageFailure) {
        try calling("create") { code.life.create?(table, code.descriptor, &pointer) }
        guard pointer != nil else { throw failure("create", CDCP_E_FATAL, "create answered OK without an instance") }
        let config = ConfigNode(options)
        try withExtendedLifetime(config) { () throws(StageFailure) in
            try calling("configure") { code.life.configure?(pointer, config.handle) }
        }
    }

    /// Threads and connections begin here.
    /// - Parameter maxRows: of one batch.
    public func activate(maxRows: Int) throws(StageFailure) {
        try calling("activate") { code.life.activate?(pointer, 0, UInt32(maxRows)) }
        isActive = true
    }

    /// - Returns: the shape that it hands on, and its plan.
    func bind(_ relation: UnsafePointer<cdcp_relation>) throws(StageFailure) -> (UnsafePointer<cdcp_relation>, UnsafeMutableRawPointer?) {
        var out: UnsafePointer<cdcp_relation>?
        var plan: UnsafeMutableRawPointer?
        try calling("bind \(String(abi: relation.pointee.nspname)).\(String(abi: relation.pointee.relname))") {
            code.life.bind_relation?(pointer, relation, &out, &plan)
        }
        return (out ?? relation, plan)
    }

    func unbind(_ plan: UnsafeMutableRawPointer?) { code.life.unbind_relation?(pointer, plan) }

    func bindingsComplete() throws(StageFailure) {
        try calling("bindings_complete") {
            let status = code.life.bindings_complete?(pointer) ?? CDCP_OK
            // Offered by nobody who has nothing to refuse.
            return status == CDCP_E_UNSUPPORTED ? CDCP_OK : status
        }
    }

    /// deactivate and destroy. Idempotent.
    public func end(timeout: Duration) {
        guard let pointer else { return }
        services.begins(stage: name, call: "deactivate")
        defer { services.returned(stage: name, call: "deactivate") }
        if isActive { _ = code.life.deactivate?(pointer, UInt64(max(0, timeout.components.seconds)) * 1_000_000_000) }
        code.life.destroy?(pointer)
        isActive = false
        self.pointer = nil
    }

    func failure(_ call: String, _ status: cdcp_status, _ fallback: String) -> StageFailure {
        let said = lastError
        lastError = ""
        return StageFailure(stage: name, call: call, status: status, message: said.isEmpty ? "\(call): \(fallback)" : said)
    }

    /// A call of its life.
    private func calling(_ call: String, _ body: () -> cdcp_status?) throws(StageFailure) {
        services.begins(stage: name, call: call)
        let status = body()
        services.returned(stage: name, call: call)
        try check(call, status)
    }

    func check(_ call: String, _ status: cdcp_status?) throws(StageFailure) {
        let status = status ?? CDCP_E_UNSUPPORTED
        guard status != CDCP_OK else {
            lastError = ""
            return
        }
        throw failure(call, status, "answered \(Self.meaning(status))")
    }

    static func meaning(_ status: cdcp_status) -> String {
        switch status {
        case CDCP_E_UNSUPPORTED: "UNSUPPORTED (-1)"
        case CDCP_E_CONFIG: "CONFIG (-2): it cannot work with its options"
        case CDCP_E_RETRY: "RETRY (-3)"
        case CDCP_E_AGAIN: "AGAIN (-4)"
        case CDCP_E_FATAL: "FATAL (-5): the instance cannot go on"
        case CDCP_E_STATE: "STATE (-6)"
        case CDCP_E_PERMISSION: "PERMISSION (-8): the other side refuses the client"
        case CDCP_E_DATA: "DATA (-7): the bytes do not keep their format"
        default: "\(status), which is no status of the contract"
        }
    }
}

extension StageInstance {
    /// What a decoder wants in START_REPLICATION. Once a connection: it also tells the decoder that a new one begins. [control]
    public func startOptions(serverVersion: Int) throws(StageFailure) -> [(name: String, value: String)] {
        var list: UnsafePointer<cdcp_start_option>?
        var count: UInt32 = 0
        try check("start_options", code.decoder?.start_options?(pointer, UInt32(serverVersion), &list, &count))
        guard let list else { return [] }
        return (0..<Int(count)).map { (String(abi: list[$0].name), String(abi: list[$0].value)) }
    }

}
