import PluginABI
import PluginKit

/// Gives each record its partition: by its key as Kafka's Java client does, by its table, or by columns of its row.
///
/// Threads: as tagged for a partitioner.
final class KeyPartitioner: PartitionerStage {
    private var rule = Rule()
    private var tablesNotSeen: Set<TableName> = []
    private let turns = Turns()

    override func configure(_ options: Options) throws(StageError) {
        rule = try Rule(options)
        tablesNotSeen = Set(rule.origins.keys)
    }

    override func bind(_ relation: UnsafePointer<cdcp_relation>) throws(StageError) -> Binding {
        var columns: [UInt32] = []
        if case .columns(let tables) = rule.by {
            let name = TableName(schema: String(relation.pointee.nspname), table: String(relation.pointee.relname))
            if let names = tables[name] {
                columns = try places(of: names, in: relation, origin: rule.origins[name] ?? "options.columns")
                tablesNotSeen.remove(name)
            }
        }
        return Binding(plan: UnsafeMutableRawPointer(Plan.make(relation, columns: columns)))
    }

    override func unbind(_ plan: UnsafeMutableRawPointer?) { Plan.free(plan) }

    override func bindingsComplete() throws(StageError) {
        let missing = tablesNotSeen.compactMap { rule.origins[$0] }.sorted()
        guard let first = missing.first else { return }
        throw .config("\(first): no table of this stream has that name; correct it, or add the table to source.tables")
    }

    override func assign(
        _ batch: UnsafePointer<cdcp_batch>, records: UnsafeMutableRawPointer, count: UInt32, stride: UInt32,
        topics: UnsafePointer<UnsafePointer<cdcp_topic>?>, topicCount: UInt32
    ) -> cdcp_status {
        turns.cover(topicCount)
        let byTable = if case .table = rule.by { true } else { false }
        let byColumns = if case .columns = rule.by { true } else { false }
        let roundRobin = rule.withoutKey == .roundRobin
        var assignment = Assignment(
            batch: batch, records: records, count: count, stride: Int(stride), topics: topics, topicCount: topicCount, turns: turns.next,
            byTable: byTable, byColumns: byColumns, roundRobin: roundRobin)
        if let fault = assignment.assign() {
            host.setError(fault)
            return CDCP_E_FATAL
        }
        return CDCP_OK
    }
}

/// Whose turn it is in each topic, for records without a key under `round_robin`. Plain memory.
private final class Turns {
    private(set) var next: UnsafeMutablePointer<UInt32>
    private var count: UInt32

    init() {
        count = 16
        next = .allocate(capacity: 16)
        next.initialize(repeating: 0, count: 16)
    }

    deinit { next.deallocate() }

    /// Makes room for all topics; grows seldom, with the first records of a topic.
    func cover(_ topics: UInt32) {
        guard topics > count else { return }
        let capacity = Int(topics) * 2
        let larger = UnsafeMutablePointer<UInt32>.allocate(capacity: capacity)
        larger.initialize(repeating: 0, count: capacity)
        larger.update(from: next, count: Int(count))
        next.deallocate()
        next = larger
        count = UInt32(clamping: capacity)
    }
}
