import PluginABI
import PluginKit

/// Drops rows by table and operation, and cuts columns.
final class Filter: TransformStage {
    private var operations = Operations.all
    private var tables: Selection?
    private var columns: Selection?

    override func configure(_ options: Options) throws(StageError) {
        operations = try Operations(options.strings("ops"), origin: options.origin("ops"))
        tables = try Selection(options.map("tables"), parts: 2)
        columns = try Selection(options.map("columns"), parts: 3)
        if !operations.contains(UInt8(CDCP_OP_DELETE)) {
            host.log(.warning, "\(options.origin("ops")): deletes are filtered out: consumers keep rows that are gone from the table")
        }
    }

    override func bind(_ relation: UnsafePointer<cdcp_relation>) throws(StageError) -> Binding {
        let schema = String(relation.pointee.nspname)
        let table = String(relation.pointee.relname)
        guard tables?.selects(schema, table) ?? true else {
            // Not one operation: its rows are dropped, whatever their columns.
            return Binding(plan: Plan.allocate(.none, kept: nil))
        }
        let all = relation.columns
        var kept: [Int] = []
        for index in all.indices {
            let name = String(all[index].name)
            if columns?.selects(schema, table, name) ?? true {
                kept.append(index)
            } else if let why = Self.isNeeded(all[index], relation.pointee.replica_identity) {
                let option = columns?.include.speaksOf(schema, table) ?? false ? columns?.include.origin : columns?.exclude.origin
                throw .config(
                    "\(option ?? "options.columns"): \(schema).\(table).\(name) is part of the \(why) and cannot be filtered out; let it through")
            }
        }
        guard kept.count < all.count else {
            return operations == .all ? Binding() : Binding(plan: Plan.allocate(operations, kept: nil))
        }
        guard !kept.isEmpty else {
            throw .config("\(columns?.exclude.origin ?? "options.columns"): no column of \(schema).\(table) is left; exclude the table instead")
        }
        let output = try host.derive(relation, columns: kept.map { all[$0] })
        return Binding(output: output, plan: Plan.allocate(operations, kept: kept))
    }

    /// Under REPLICA IDENTITY FULL every column is part of the identity, and only the key is needed.
    private static func isNeeded(_ column: cdcp_column, _ replicaIdentity: UInt8) -> String? {
        if column.key_ordinal > 0 { return "key" }
        let isFull = replicaIdentity == UInt8(CDCP_REPLICA_IDENTITY_FULL)
        return !isFull && column.flags & UInt32(CDCP_COL_IDENTITY) != 0 ? "replica identity" : nil
    }

    override func unbind(_ plan: UnsafeMutableRawPointer?) {
        if let plan { Plan.deallocate(plan) }
    }

    override func bindingsComplete() throws(StageError) {
        guard let tables, let columns else { return }
        for patterns in [tables.include, tables.exclude, columns.include, columns.exclude] {
            for pattern in patterns.unfitted {
                host.log(.warning, "\(patterns.origin): '\(pattern)' fits nothing in the tables that this stage sees")
            }
        }
    }

    override func process(_ batch: UnsafeMutablePointer<cdcp_batch>) -> cdcp_status {
        let view = batch.view
        for run in view.runs {
            let plan: Plan
            if let bound = run.plan?.assumingMemoryBound(to: Plan.self) {
                plan = bound.pointee
            } else {
                // Messages belong to no table; a table without a plan passes whole.
                guard run.rel_index == CDCP_NO_RELATION, operations != .all else { continue }
                plan = Plan(operations: operations, kept: nil, count: 0)
            }
            var index = run.first
            let end = run.first &+ run.count
            while index < end {
                let row = view.row(index)
                if !plan.operations.contains(row.pointee.op) {
                    row.pointee.disposition = UInt8(CDCP_ROW_DROP)
                } else if let kept = plan.kept {
                    if let cells = row.pointee.new_cells { compact(cells, kept, plan.count) }
                    if let cells = row.pointee.old_cells { compact(cells, kept, plan.count) }
                }
                index &+= 1
            }
        }
        return CDCP_OK
    }

    /// In place: a kept column only moves towards the front.
    @inline(__always)
    private func compact(_ cells: UnsafeMutablePointer<cdcp_cell>, _ kept: UnsafeMutablePointer<Int>, _ count: Int) {
        var index = 0
        while index < count {
            cells[index] = cells[kept[index]]
            index &+= 1
        }
    }
}
