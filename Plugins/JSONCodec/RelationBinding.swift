import PluginABI
import PluginKit

/// Makes the plan of a shape: encodings, names and key, and what has to be said about them.
struct RelationBinding {
    let options: CodecOptions
    let relation: UnsafePointer<cdcp_relation>

    /// The plan, and a line for each column whose type has no form of its own.
    func plan() throws(StageError) -> (plan: RelationPlan, notes: [String]) {
        let choice = EncodingChoice(options: options)
        let keyColumns = try self.keyColumns()
        var notes: [String] = []
        var columns: [ColumnPlan] = []
        var output: [Int] = []
        for index in 0..<relation.columnCount {
            let column = relation.column(index).pointee
            var traits = EncodingChoice.ColumnTraits(.text)
            var written = true
            let what = "column \(relation.qualifiedName).\(String(column.name)) has type \(typeName(column))"
            switch choice.outcome(column) {
            case .write(let chosen): traits = chosen
            case .passed: notes.append("\(what), which is sent as PostgreSQL's text until its own form is there")
            case .leftOut:
                if options.includeUnknown {
                    traits = EncodingChoice.ColumnTraits(.opaque)
                } else if !keyColumns.contains(index) {
                    written = false
                    notes.append("\(what), which Debezium leaves out; include_unknown_datatypes: true sends it")
                }
            }
            columns.append(columnPlan(column, traits))
            if written { output.append(index) }
        }
        let key = keyColumns.enumerated().map { place, index in
            RelationPlan.KeyColumn(
                column: index,
                name: Fragment(Array((place == 0 ? "{" : ",").utf8) + jsonString(relation.column(index).pointee.name) + Array(":".utf8)),
                headerEncoding: headerEncoding(columns[index].encoding))
        }
        return (RelationPlan(relation: relation, columns: columns, output: output, key: key, table: table), notes)
    }

    private func columnPlan(_ column: cdcp_column, _ traits: EncodingChoice.ColumnTraits) -> ColumnPlan {
        let name = jsonString(column.name)
        return ColumnPlan(
            encoding: traits.encoding, element: traits.element, unit: traits.unit, binary: options.format == .compact ? .base64 : options.binary.text,
            scale: traits.scale, delimiter: traits.delimiter, name: Fragment([UInt8(ascii: ",")] + name + [UInt8(ascii: ":")]),
            placeholder: Fragment(Placeholder(options: options).bytes(traits)), quotedName: Fragment(name))
    }

    private func headerEncoding(_ encoding: CellEncoding) -> CellEncoding {
        switch encoding {
        case .decimal: .decimalNumber
        case .money: .moneyNumber
        default: encoding
        }
    }

    private var table: Fragment {
        let schema = jsonString(relation.pointee.nspname)
        let name = jsonString(relation.pointee.relname)
        switch options.format {
        case .debezium: return Fragment(schema + Array(#","table":"#.utf8) + name + Array(#","txId":"#.utf8))
        case .compact: return Fragment(Array(#","schema":"#.utf8) + schema + Array(#","table":"#.utf8) + name)
        }
    }

    /// Places of the key's columns, in the key's order.
    private func keyColumns() throws(StageError) -> [Int] {
        if let own = options.ownKeys.first(where: { $0.covers(relation) }) { return try own.places(relation) }
        let indexed = (0..<relation.columnCount).filter { relation.column($0).pointee.key_ordinal > 0 }
        return indexed.sorted { relation.column($0).pointee.key_ordinal < relation.column($1).pointee.key_ordinal }
    }

    private func typeName(_ column: cdcp_column) -> String {
        column.type_name.len > 0 ? String(column.type_name) : "with OID \(column.type_oid)"
    }
}
