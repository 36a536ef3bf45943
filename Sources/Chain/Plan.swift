public import PluginABI

/// A source relation as one plan has bound it: what each stage sees and what each stage made of it. Plain memory, read in the hot path.
struct BoundRelation {
    let source: UnsafePointer<cdcp_relation>
    /// By stage: the relation that it sees.
    let inputs: UnsafeMutablePointer<UnsafePointer<cdcp_relation>?>
    let plans: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    /// By stage: does its `match.tables` name the table?
    let visible: UnsafeMutablePointer<Bool>
    /// By op (0...7): rows seen since they were last counted.
    let counts: UnsafeMutablePointer<UInt64>
    /// The relation's own topic.
    let topic: UInt32
    /// Number of the table for records, and for the observer.
    let table: UInt32
    /// The bindings of these stages are this plan's own, not taken over.
    let owned: UnsafeMutablePointer<Bool>
    /// Columns that the host keeps of what the server sends, before any stage; nil: all.
    var cut: UnsafeBufferPointer<Int32>?

    /// One that no row ever leads to.
    static func none() -> UnsafeMutablePointer<BoundRelation> {
        let relation = UnsafeMutablePointer<cdcp_relation>.allocate(capacity: 1)
        relation.initialize(to: cdcp_relation())
        let made = UnsafeMutablePointer<BoundRelation>.allocate(capacity: 1)
        made.initialize(
            to: BoundRelation(
                source: UnsafePointer(relation), inputs: .allocate(capacity: 1), plans: .allocate(capacity: 1), visible: .allocate(capacity: 1),
                counts: .allocate(capacity: 8), topic: 0, table: 0, owned: .allocate(capacity: 1)))
        return made
    }

    /// `schema.table`
    var qualifiedName: String { String(abi: source.pointee.nspname) + "." + String(abi: source.pointee.relname) }
}

/// The chain as it runs: the instances in order, and what they made of each relation. A reload makes another one.
///
/// Bindings change on the stage thread only; `prepare` runs beside a stage thread that runs another plan.
public final class Plan: @unchecked Sendable {
    // SAFETY: handed from the thread that prepared it to the stage thread at the reload barrier; only `bound` and `sink` are read by both, under the gate.
    /// Counts the plans of this process, from 1.
    public let generation: Int
    /// Not part of a reload.
    public let decoder: StageInstance
    /// Transforms, codec, partitioner if there is one: what `bind` runs through, in order.
    public let stages: [StageInstance]
    /// The one thing that a rewind replaces; a reload takes over the one that runs.
    public internal(set) var sink: StageInstance {
        get { gate.locked { runningSink } }
        set { gate.locked { runningSink = newValue } }
    }
    private var runningSink: StageInstance
    let services: any HostServices
    let wantsMarkers: Bool
    let codecIndex: Int
    private let gate = Gate()
    private var bound: [UInt64: UnsafeMutablePointer<BoundRelation>] = [:]
    private var tables: [String: UInt32] = [:]
    /// Not told yet that all is bound. Handed over with the plan.
    private var incomplete: [StageInstance] = []

    /// From instances that are configured and activated.
    public init(generation: Int, decoder: StageInstance, transforms: [StageInstance], codec: StageInstance, partitioner: StageInstance?, sink: StageInstance,
        services: any HostServices)
    {
        self.generation = generation
        self.decoder = decoder
        stages = transforms + [codec] + (partitioner.map { [$0] } ?? [])
        codecIndex = transforms.count
        runningSink = sink
        self.services = services
        wantsMarkers = stages.contains { $0.wantsMarkers }
    }

    /// nil: records go without a partition, to a sink that has none.
    var partitionerIndex: Int? { stages.count > codecIndex + 1 ? codecIndex + 1 : nil }
    /// The sink's place in `instances`.
    var sinkNumber: Int { stages.count + 1 }
    /// In the order of the path: decoder, stages, sink.
    public var instances: [StageInstance] { [decoder] + stages + [sink] }

    func binding(_ relation: UnsafePointer<cdcp_relation>) -> UnsafeMutablePointer<BoundRelation>? { gate.locked { bound[relation.pointee.schema_id] } }

    /// Binds a relation through all stages.
    /// - Parameter old: the plan that runs until now: what its instances made of the same input is taken over.
    /// - Parameter mayCallKept: false on a thread beside the running one: instances that both plans share must not be called; the relation is
    ///   then left for the barrier.
    @discardableResult
    func bind(_ relation: UnsafePointer<cdcp_relation>, takingOver old: Plan? = nil, mayCallKept: Bool = true) throws(StageFailure)
        -> UnsafeMutablePointer<BoundRelation>?
    {
        if let known = binding(relation) { return known }
        // The stage thread may be binding a new shape in the old plan at this moment.
        let before = old?.binding(relation)
        let count = stages.count
        let inputs = UnsafeMutablePointer<UnsafePointer<cdcp_relation>?>.allocate(capacity: count + 1)
        let plans = UnsafeMutablePointer<UnsafeMutableRawPointer?>.allocate(capacity: count)
        let visible = UnsafeMutablePointer<Bool>.allocate(capacity: count)
        let owned = UnsafeMutablePointer<Bool>.allocate(capacity: count)
        let schema = String(abi: relation.pointee.nspname)
        let table = String(abi: relation.pointee.relname)
        var input = relation
        inputs.initialize(repeating: nil, count: count + 1)
        plans.initialize(repeating: nil, count: count)
        visible.initialize(repeating: true, count: count)
        owned.initialize(repeating: false, count: count)
        for (index, stage) in stages.enumerated() {
            inputs[index] = input
            if let matches = stage.matches, !matches(schema, table) {
                visible[index] = false
                continue
            }
            if let old, let at = old.stages.firstIndex(where: { $0 === stage }) {
                if let before, before.pointee.inputs[at] == input, before.pointee.visible[at] {
                    plans[index] = before.pointee.plans[at]
                    input = old.output(before, at) ?? input
                    continue
                }
                guard mayCallKept else {
                    unwind(inputs, plans, visible, owned, upTo: index)
                    return nil
                }
            }
            do throws(StageFailure) {
                let (output, plan) = try stage.bind(input)
                plans[index] = plan
                owned[index] = true
                input = index < codecIndex ? output : input
            } catch {
                unwind(inputs, plans, visible, owned, upTo: index)
                throw error
            }
        }
        inputs[count] = input
        let name = schema + "." + table
        let number = tables[name] ?? UInt32(tables.count + 1)
        tables[name] = number
        let counts = UnsafeMutablePointer<UInt64>.allocate(capacity: 8)
        counts.initialize(repeating: 0, count: 8)
        let made = UnsafeMutablePointer<BoundRelation>.allocate(capacity: 1)
        made.initialize(
            to: BoundRelation(
                source: relation, inputs: inputs, plans: plans, visible: visible, counts: counts,
                topic: services.topics.number(String(abi: relation.pointee.topic)) ?? 0, table: number, owned: owned))
        gate.locked { bound[relation.pointee.schema_id] = made }
        return made
    }

    /// What the stage at `index` handed on.
    private func output(_ relation: UnsafeMutablePointer<BoundRelation>, _ index: Int) -> UnsafePointer<cdcp_relation>? {
        relation.pointee.inputs[index + 1]
    }

    private func unwind(
        _ inputs: UnsafeMutablePointer<UnsafePointer<cdcp_relation>?>, _ plans: UnsafeMutablePointer<UnsafeMutableRawPointer?>,
        _ visible: UnsafeMutablePointer<Bool>, _ owned: UnsafeMutablePointer<Bool>, upTo end: Int
    ) {
        for index in 0..<end where owned[index] { stages[index].unbind(plans[index]) }
        inputs.deallocate()
        plans.deallocate()
        visible.deallocate()
        owned.deallocate()
    }

    /// Before the first row, and beside a running plan: binds what is known, tells the stages that this is all, and so finds what cannot work.
    public func prepare(_ relations: [UnsafePointer<cdcp_relation>], takingOver old: Plan? = nil) throws(StageFailure) {
        incomplete = stages.filter { stage in old?.stages.contains { $0 === stage } != true }
        var isWhole = true
        for relation in relations where try bind(relation, takingOver: old, mayCallKept: old == nil) == nil { isWhole = false }
        // What only the stage thread may bind, behind a stage that both plans share, is told at the barrier.
        if isWhole { try completeBindings() }
    }

    /// Tells the stages that have not heard it yet that every table known now is bound.
    func completeBindings() throws(StageFailure) {
        for stage in incomplete { try stage.bindingsComplete() }
        incomplete = []
    }

    /// Ends the instances that `successor` does not have. The plan must not run any more.
    public func retire(successor: Plan?, timeout: Duration) {
        for (index, stage) in stages.enumerated() where successor?.stages.contains(where: { $0 === stage }) != true {
            // Taken over from the plan before, or made here: this instance has no later user.
            for relation in bound.values where relation.pointee.visible[index] { stage.unbind(relation.pointee.plans[index]) }
            stage.end(timeout: timeout)
        }
        for relation in bound.values { Self.free(relation) }
        bound.removeAll()
        if successor?.decoder !== decoder { decoder.end(timeout: timeout) }
        if successor?.sink !== sink { sink.end(timeout: timeout) }
    }

    /// Swapped: gives back what the stages that `successor` keeps were bound to and it has not taken over: shapes that no table has any more,
    /// and inputs that another stage has changed. Stage thread.
    func unbindForgotten(by successor: Plan) {
        for (index, stage) in stages.enumerated() {
            guard let at = successor.stages.firstIndex(where: { $0 === stage }) else { continue }
            for (id, relation) in bound where relation.pointee.visible[index] {
                let heir = successor.bound[id]
                let isTakenOver = heir.map { $0.pointee.visible[at] && !$0.pointee.owned[at] } ?? false
                if !isTakenOver { stage.unbind(relation.pointee.plans[index]) }
            }
        }
    }

    /// Refused at the barrier: gives back the bindings that it asked instances of the running plan for. Stage thread.
    func unbindShared(with running: Plan) {
        for (index, stage) in stages.enumerated() where running.stages.contains(where: { $0 === stage }) {
            for relation in bound.values where relation.pointee.owned[index] {
                stage.unbind(relation.pointee.plans[index])
                relation.pointee.owned[index] = false
            }
        }
    }

    /// A plan that never ran: ends what is its own. Any thread.
    public func discard(running: Plan?, timeout: Duration) { retire(successor: running, timeout: timeout) }

    private static func free(_ relation: UnsafeMutablePointer<BoundRelation>) {
        relation.pointee.inputs.deallocate()
        relation.pointee.plans.deallocate()
        relation.pointee.visible.deallocate()
        relation.pointee.counts.deallocate()
        relation.pointee.owned.deallocate()
        relation.deallocate()
    }
}
