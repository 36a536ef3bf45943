import PluginABI
import PluginKit

/// What is known of a table before its rows: one block of memory, made at bind, freed at unbind.
struct Plan {
    /// Of `schema.table`.
    var tableHash: UInt32
    /// Of `columns`; 0: the table goes by key.
    var columnCount: UInt32
    /// Places of the columns in the relation, in the order of the options. Owned.
    var columns: UnsafeMutablePointer<UInt32>

    /// - Parameter columns: places that were checked to lie in the relation.
    static func make(_ relation: UnsafePointer<cdcp_relation>, columns: [UInt32]) -> UnsafeMutablePointer<Plan> {
        let places = UnsafeMutablePointer<UInt32>.allocate(capacity: max(columns.count, 1))
        for (index, column) in columns.enumerated() { (places + index).initialize(to: column) }
        var name = relation.qualifiedName
        let hash = name.withUTF8 { murmur2($0.baseAddress, count: $0.count) }
        let plan = UnsafeMutablePointer<Plan>.allocate(capacity: 1)
        plan.initialize(to: Plan(tableHash: hash, columnCount: UInt32(columns.count), columns: places))
        return plan
    }

    static func free(_ plan: UnsafeMutableRawPointer?) {
        guard let plan = plan?.assumingMemoryBound(to: Plan.self) else { return }
        plan.pointee.columns.deallocate()
        plan.deallocate()
    }
}

/// Where the columns that a table is partitioned by lie in this shape. They must be there in every row, deletes included.
func places(of names: [String], in relation: UnsafePointer<cdcp_relation>, origin: String) throws(StageError) -> [UInt32] {
    var places: [UInt32] = []
    for name in names {
        guard let index = (0..<relation.columnCount).first(where: { String(relation.column($0).pointee.name) == name }) else {
            throw .config("\(origin): table \(relation.qualifiedName) has no column \(name); correct the name or remove it")
        }
        let column = relation.column(index).pointee
        guard column.flags & UInt32(CDCP_COL_IDENTITY) != 0 || relation.pointee.replica_identity == UInt8(CDCP_REPLICA_IDENTITY_FULL)
        else {
            throw .config(
                "\(origin): column \(name) of table \(relation.qualifiedName) is not part of the replica identity, so deletes come without it; "
                    + "take a key column, or ALTER TABLE \(relation.qualifiedName) REPLICA IDENTITY FULL")
        }
        places.append(UInt32(index))
    }
    return places
}
