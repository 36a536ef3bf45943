import PluginABI
import PluginKit

/// Puts something else in the place of values, the same for equal values, so that keys stay keys. What it cannot mask it fails, never passes.
final class Masking: TransformStage {
    private var rules: [Rule] = []
    /// Of each rule: the constant or the fill, and the hash with its salt.
    private var constants: [(bytes: UnsafeMutablePointer<UInt8>, count: Int, hash: UnsafeMutablePointer<SHA256>?)] = []
    private var stopsOnMissing = true
    private var masked = MaskedColumns()
    /// Patterns that fitted a column so far: rule and place in it.
    private var fitted: Set<[Int]> = []

    deinit {
        for constant in constants {
            constant.bytes.deallocate()
            constant.hash?.pointee.deallocate()
            constant.hash?.deallocate()
        }
    }

    override func configure(_ options: Options) throws(StageError) {
        for entry in options.maps("columns") {
            let rule = try Rule(entry)
            let bytes = rule.how == .fixed ? rule.value : rule.fill
            let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: max(bytes.count, 1))
            memory.initialize(repeating: 0, count: max(bytes.count, 1))
            for (index, byte) in bytes.enumerated() { memory[index] = byte }
            var hash: UnsafeMutablePointer<SHA256>?
            if rule.how == .hash {
                hash = .allocate(capacity: 1)
                hash?.initialize(to: SHA256(salt: rule.salt))
            }
            constants.append((memory, bytes.count, hash))
            rules.append(rule)
            if rule.how == .hash, rule.salt.isEmpty {
                host.log(.warning, "\(rule.origin): hash without a salt: values that can be guessed, such as addresses, can be recognised")
            }
        }
        stopsOnMissing = options.string("on_missing") != "ignore"
        if rules.isEmpty { host.log(.info, "\(options.origin("columns")): empty, nothing is masked") }
    }

    override func bind(_ relation: UnsafePointer<cdcp_relation>) throws(StageError) -> Binding {
        let schema = String(relation.pointee.nspname)
        let table = String(relation.pointee.relname)
        let columns = relation.columns
        let names = columns.map { String($0.name) }
        var chosen: [Int: Int] = [:]
        var fits: Set<[Int]> = []
        for (number, rule) in rules.enumerated() {
            for (place, pattern) in rule.patterns.enumerated() where pattern.fitsTable(schema, table) {
                let found = names.indices.filter { pattern.fitsColumn(names[$0]) }
                if found.isEmpty, pattern.namesTable {
                    try miss("\(rule.origin): \(schema).\(table) has no column that fits '\(pattern)'\(cure(pattern, names))")
                }
                if !found.isEmpty { fits.insert([number, place]) }
                for column in found {
                    if let other = chosen[column], other != number {
                        throw .config(
                            "\(rule.origin): \(schema).\(table).\(names[column]) is masked already by \(rules[other].origin); leave one of them")
                    }
                    chosen[column] = number
                }
            }
        }
        let now = Set(chosen.map { MaskedColumns.Column(rule: $0.value, name: names[$0.key]) })
        for column in masked.missing(relation.pointee.rel_oid, "\(schema).\(table)", now: now) {
            try miss(
                "\(rules[column.rule].origin): \(schema).\(table) has no longer the column \(column.name) that was masked"
                    + " (dropped, or renamed and not masked under its new name)")
        }
        let binding = try plan(relation, columns, names, chosen)
        fitted.formUnion(fits)
        masked.note(relation.pointee.rel_oid, "\(schema).\(table)", now)
        return binding
    }

    private func miss(_ text: String) throws(StageError) {
        guard stopsOnMissing else {
            host.log(.warning, "\(text); on_missing is ignore, so rows go on")
            return
        }
        throw .config("\(text); correct the pattern, or set on_missing: ignore")
    }

    private func cure(_ pattern: DottedGlob, _ names: [String]) -> String {
        guard let wanted = pattern.parts.last?.exactName, let near = names.first(where: { $0.lowercased() == wanted.lowercased() }) else { return "" }
        return "; a name with capitals must stand in double quotes: \"\(near)\""
    }

    private func plan(
        _ relation: UnsafePointer<cdcp_relation>, _ columns: [cdcp_column], _ names: [String], _ chosen: [Int: Int]
    ) throws(StageError) -> Binding {
        if chosen.isEmpty { return Binding() }
        var columns = columns
        var masks: [ColumnMask] = []
        for (column, number) in chosen.sorted(by: { $0.key < $1.key }) {
            let rule = rules[number]
            if columns[column].key_ordinal > 0 {
                if rule.how == .null {
                    throw .config("\(rule.origin): \(relation.qualifiedName).\(names[column]) is part of the key and cannot become null; use hash")
                }
                if rule.how != .hash {
                    host.log(
                        .warning,
                        "\(rule.origin): \(relation.qualifiedName).\(names[column]) is part of the key: with \(rule.how.rawValue), rows with "
                            + "different keys may get one key")
                }
            }
            columns[column].mask(rule.how)
            masks.append(
                ColumnMask(
                    column: column, how: rule.how, n: rule.n, bytes: UnsafePointer(constants[number].bytes), count: constants[number].count,
                    hash: constants[number].hash.map { UnsafePointer($0) }))
        }
        let output = try host.derive(relation, columns: columns)
        return Binding(output: output, plan: Plan.allocate(masks))
    }

    override func unbind(_ plan: UnsafeMutableRawPointer?) {
        if let plan { Plan.deallocate(plan) }
    }

    override func bindingsComplete() throws(StageError) {
        for (number, rule) in rules.enumerated() {
            for (place, pattern) in rule.patterns.enumerated() where !fitted.contains([number, place]) {
                try miss("\(rule.origin): '\(pattern)' fits no column of any table that this stage sees")
            }
        }
    }

    override func process(_ batch: UnsafeMutablePointer<cdcp_batch>) -> cdcp_status {
        guard let arena = batch.pointee.arena else { return CDCP_E_FATAL }
        let view = batch.view
        for run in view.runs {
            guard let plan = run.plan?.assumingMemoryBound(to: Plan.self).pointee else { continue }
            var index = run.first
            let end = run.first &+ run.count
            while index < end {
                let row = view.row(index)
                var outcome = ColumnMask.Outcome.done
                if let cells = row.pointee.new_cells { outcome = mask(cells, plan, arena) }
                if outcome == .done, let cells = row.pointee.old_cells { outcome = mask(cells, plan, arena) }
                if outcome != .done {
                    if outcome == .noMemory {
                        host.setError("no memory left for masked values; lower batch.bytes")
                        return CDCP_E_FATAL
                    }
                    refuse(batch, index, run.rel_index)
                }
                index &+= 1
            }
        }
        return CDCP_OK
    }

    @inline(__always)
    private func mask(_ cells: UnsafeMutablePointer<cdcp_cell>, _ plan: Plan, _ arena: UnsafeMutablePointer<cdcp_arena>) -> ColumnMask.Outcome {
        var index = 0
        while index < plan.count {
            let mask = plan.masks + index
            let outcome = mask.pointee.apply(cells + mask.pointee.column, arena)
            if outcome != .done { return outcome }
            index &+= 1
        }
        return .done
    }

    @inline(never)
    private func refuse(_ batch: UnsafeMutablePointer<cdcp_batch>, _ row: UInt32, _ relation: UInt32) {
        let name = batch.view.relation(relation)?.qualifiedName ?? ""
        host.fail(
            batch, row: row, code: CDCP_CODE_VALUE,
            "\(name): a column to be masked holds a binary value or damaged text, which its mask cannot cover; set binary: false in the decoder")
    }
}
