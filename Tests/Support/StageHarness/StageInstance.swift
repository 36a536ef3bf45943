public import PluginABI

/// One instance of a stage and its life. Not for several threads.
public final class StageInstance {
    public let host: FakeHost
    public let descriptor: UnsafePointer<cdcp_stage_desc>
    let life: cdcp_lifecycle
    let instance: UnsafeMutableRawPointer
    private var bindings: [ObjectIdentifier: Bound] = [:]
    private var isActive = false
    var submissionsRoom: [SubmissionMemory] = []

    /// What the stage said to a relation.
    struct Bound {
        let relation: Relation
        let output: Relation
        let plan: UnsafeMutableRawPointer?
    }

    init(_ descriptor: UnsafePointer<cdcp_stage_desc>, _ host: FakeHost) throws {
        guard let life = descriptor.pointee.life?.pointee else { throw HarnessError("the descriptor has no life table") }
        var instance: UnsafeMutableRawPointer?
        let status = life.create(host.pointer, descriptor, &instance)
        guard status == CDCP_OK, let instance else { throw StageRefusal(call: "create", status: status, message: host.takeError()) }
        self.descriptor = descriptor
        self.host = host
        self.life = life
        self.instance = instance
    }

    deinit {
        if isActive {
            for bound in bindings.values { life.unbind_relation(instance, bound.plan) }
            _ = life.deactivate(instance, 10_000_000_000)
        }
        life.destroy(instance)
    }

    /// Turns a status into a StageRefusal, and what was broken meanwhile into a ContractViolation.
    func check(_ call: String, _ status: cdcp_status) throws {
        let message = host.takeError()
        try host.checkViolations()
        if status != CDCP_OK { throw StageRefusal(call: call, status: status, message: message) }
    }

    func configure(_ options: Option) throws {
        let schema = descriptor.pointee.config_schema_json.map { String(cString: $0) } ?? "{}"
        let node = ConfigNode(try SchemaDefaults.fill(options, schema: schema), path: "options", host: host)
        host.config = node
        host.isConfiguring = true
        let status = life.configure(instance, node.opaque)
        host.isConfiguring = false
        try check("configure", status)
    }

    func activate(lane: UInt32 = 0, maxRows: UInt32 = 512) throws {
        try check("activate", life.activate(instance, lane, maxRows))
        isActive = true
    }

    /// Shows the stage a relation. Returns the shape that its rows have behind the stage. Rows of unbound relations do it by themselves.
    @discardableResult
    public func bind(_ relation: Relation) throws -> Relation { try bound(relation).output }

    func bound(_ relation: Relation) throws -> Bound {
        if let known = bindings[ObjectIdentifier(relation)] { return known }
        var output: UnsafePointer<cdcp_relation>?
        var plan: UnsafeMutableRawPointer?
        try check("bind_relation", life.bind_relation(instance, relation.pointer, &output, &plan))
        guard let shape = output.map({ host.relation(at: $0) }) ?? relation else {
            throw ContractViolation(lines: ["bind_relation: `out` is neither NULL, `in` nor from relation_derive"])
        }
        let bound = Bound(relation: relation, output: shape, plan: plan)
        bindings[ObjectIdentifier(relation)] = bound
        return bound
    }

    /// The shape is not used any more.
    public func unbind(_ relation: Relation) {
        if let bound = bindings.removeValue(forKey: ObjectIdentifier(relation)) { life.unbind_relation(instance, bound.plan) }
    }

    /// All tables of this start have been bound.
    public func bindingsComplete() throws { try check("bindings_complete", life.bindings_complete(instance)) }

    /// Ends the stage's work; nothing but the end of the instance may follow.
    public func deactivate(timeoutNanoseconds: UInt64 = 10_000_000_000) throws {
        for bound in bindings.values { life.unbind_relation(instance, bound.plan) }
        bindings = [:]
        isActive = false
        try check("deactivate", life.deactivate(instance, timeoutNanoseconds))
    }

    func operations<T>(_ type: T.Type, _ role: Int32) throws -> T {
        guard descriptor.pointee.role == UInt32(role), let ops = descriptor.pointee.ops else { throw HarnessError("the stage has another role") }
        return ops.load(as: T.self)
    }

    var wantsMarkers: Bool { descriptor.pointee.flags & UInt64(CDCP_STAGE_WANTS_MARKERS) != 0 }

    func batch(_ rows: [RowSpec], _ transactions: [TransactionSpec], arenaRoom: Int = 24) throws -> BatchMemory {
        try BatchMemory(rows, transactions: transactions, host: host, bindings: bound, wantsMarkers: wantsMarkers, arenaRoom: arenaRoom)
    }
}
