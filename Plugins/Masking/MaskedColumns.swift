/// Which columns were masked so far, to notice when a later shape of their table has them no more: a rename would be a leak.
struct MaskedColumns {
    struct Column: Hashable {
        let rule: Int
        let name: String
    }

    private var byOid: [UInt32: Set<Column>] = [:]
    private var byName: [String: Set<Column>] = [:]

    /// Columns of the table, known by its oid (a renamed table) or its name (one made anew), that `now` does not mask.
    func missing(_ oid: UInt32, _ name: String, now: Set<Column>) -> [Column] {
        (byOid[oid] ?? []).union(byName[name] ?? []).subtracting(now).sorted { $0.name < $1.name }
    }

    mutating func note(_ oid: UInt32, _ name: String, _ columns: Set<Column>) {
        byOid[oid] = columns
        byName[name] = columns
    }
}
