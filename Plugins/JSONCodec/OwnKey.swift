import PluginABI
import PluginKit

/// An entry of `message_key_columns`: tables, and the columns that make their keys.
struct OwnKey {
    /// `schema.table`, with the globs and quotes of all table patterns.
    let table: DottedGlob
    let columns: [String]
    /// Where it was said, to begin a complaint with.
    let origin: String

    init(_ table: String, _ map: Options) throws(StageError) {
        origin = map.origin(table)
        columns = map.strings(table)
        let patterns: [DottedGlob]
        do throws(DottedGlob.Malformed) {
            patterns = try DottedGlob.list(table)
        } catch {
            throw .config("\(origin): \(error.message)")
        }
        guard let first = patterns.first, patterns.count == 1, first.parts.count == 2 else {
            throw .config("\(origin): write one table as schema.table")
        }
        self.table = first
        guard !columns.isEmpty else { throw .config("\(origin): name at least one column, as in [customer_id]") }
        guard Set(columns).count == columns.count else { throw .config("\(origin): a column is named twice; name each once") }
    }

    func covers(_ relation: UnsafePointer<cdcp_relation>) -> Bool {
        table.parts[0].matches(String(relation.pointee.nspname)) && table.parts[1].matches(String(relation.pointee.relname))
    }

    /// Places of the columns in a shape, all of them part of its replica identity.
    func places(_ relation: UnsafePointer<cdcp_relation>) throws(StageError) -> [Int] {
        var places: [Int] = []
        for name in columns {
            guard let place = (0..<relation.columnCount).first(where: { String(relation.column($0).pointee.name) == name }) else {
                throw .config("\(origin): \(relation.qualifiedName) has no column \(name); name columns that it has, as the server spells them")
            }
            guard relation.column(place).pointee.flags & UInt32(CDCP_COL_IDENTITY) != 0 else {
                throw .config(
                    "\(origin): \(name) is not part of the replica identity of \(relation.qualifiedName), so deletes would carry no key; "
                        + "name columns of the identity, or ALTER TABLE \(relation.qualifiedName) REPLICA IDENTITY FULL")
            }
            places.append(place)
        }
        return places
    }
}
