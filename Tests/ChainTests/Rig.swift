import Chain
import Pipeline
import PluginABI
import Settings

/// A lane between a test that plays the source and fakes behind the contract.
final class Rig: @unchecked Sendable {
    // SAFETY: the lane's thread is joined before what it wrote is read.
    let services = FakeServices()
    let gate = Gate()
    let budget: BudgetBox
    let queue: ReceiveQueue
    let inFlight: InFlight
    let sink: FakeSink
    let codec: FakeStage
    let transforms: [FakeStage]
    let plan: Plan
    let lane: Lane
    private var worker: Worker?
    private var outcome: LaneStop?
    private var lsn: UInt64 = 100

    init(
        transforms: [FakeStage] = [], codec: FakeStage = FakeCodec.make(), sink: FakeSink = FakeSink(), partitioner: FakeStage = Rig.partitioner(),
        policy: RowPolicy = .stop, limit: Int = 1 << 20, rows: Int = 1000, recordBytes: Int = 100_000,
        resolve: @escaping (RelationShape) throws(LaneStop) -> ResolvedShape = Rig.keyed
    ) throws {
        self.transforms = transforms
        self.codec = codec
        self.sink = sink
        budget = BudgetBox(ByteBudget(limit: limit))
        queue = ReceiveQueue(gate: gate, budget: budget)
        let start = StreamMark(position: 50)
        let services = services
        inFlight = InFlight(
            gate: gate, budget: budget, budgetBytes: limit, start: start, sinkPolicy: policy, sinkName: "60-sink", topics: services.topics, observer: services)
        services.attach(inFlight)
        plan = try Rig.plan(
            1, services, decoder: Rig.instance(FakeDecoder.make(), services), transforms: transforms.map { try Rig.instance($0, services, policy) },
            codec: Rig.instance(codec, services, policy), partitioner: Rig.instance(partitioner, services), sink: Rig.instance(sink.stage, services, policy))
        lane = Lane(
            gate: gate, queue: queue, inFlight: inFlight, plan: plan, settings: LaneSettings(batchRows: rows, batchBytes: 1 << 20, recordBytes: recordBytes),
            start: start, services: services, observer: services, resolve: resolve)
    }

    static func partitioner() -> FakeStage { FakeStage(CDCP_ROLE_PARTITIONER, "50-partitioner") }

    /// The identity's columns are the key.
    static func keyed(_ shape: RelationShape) throws(LaneStop) -> ResolvedShape {
        var shape = shape
        for index in shape.columns.indices where shape.columns[index].flags & UInt32(CDCP_COL_IDENTITY) != 0 {
            shape.columns[index].keyOrdinal = UInt32(index + 1)
        }
        return ResolvedShape(shape)
    }

    static func instance(_ stage: FakeStage, _ services: FakeServices, _ policy: RowPolicy = .stop, matches: (@Sendable (String, String) -> Bool)? = nil) throws
        -> StageInstance
    {
        let instance = StageInstance(name: stage.name, code: stage.code, generation: 1, onError: policy, matches: matches, ops: nil, services: services)
        try instance.configure(.empty(place: SourcePlace(file: "test")))
        try instance.activate(maxRows: 1000)
        return instance
    }

    static func plan(
        _ generation: Int, _ services: FakeServices, decoder: StageInstance, transforms: [StageInstance], codec: StageInstance, partitioner: StageInstance?,
        sink: StageInstance
    ) -> Plan {
        Plan(generation: generation, decoder: decoder, transforms: transforms, codec: codec, partitioner: partitioner, sink: sink, services: services)
    }

    // MARK: the source

    @discardableResult
    func send(_ messages: String...) -> Bool { send(messages) }

    /// One slice of the queue.
    @discardableResult
    func send(_ messages: [String]) -> Bool {
        for message in messages {
            lsn += 1
            Array(message.utf8).withUnsafeBytes { _ = queue.append(.message, $0, lsn: lsn) }
        }
        return queue.publish()
    }

    func keepalive(_ position: UInt64) {
        _ = queue.append(.idle, UnsafeRawBufferPointer(start: nil, count: 0), lsn: position)
        queue.publish()
    }

    /// A whole transaction of inserts into table 1.
    static func transaction(_ commit: UInt64, _ rows: [String]) -> [String] { ["B \(commit)"] + rows.map { "I 1 \($0)" } + ["C \(commit) \(commit + 5)"] }
    static let table = "R 1 items id*,name"

    // MARK: the lane's thread

    func start(_ mode: LaneMode = .stream) { worker = Worker { [self] in outcome = lane.run(mode) } }

    func join() -> LaneStop? {
        worker?.join()
        worker = nil
        return outcome
    }

    /// Runs over what was sent, to the end.
    func run(_ mode: LaneMode = .stream) -> LaneStop? {
        lane.sourceEnded()
        start(mode)
        return join()
    }

    var durable: UInt64 { inFlight.snapshot().durable.position }
}
