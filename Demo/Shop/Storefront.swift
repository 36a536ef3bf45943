/// Plays the scenes, one transaction each, and keeps the journal of what was committed. Main thread only.
struct Storefront {
    private let database: Database
    private var scenes = Scenes()

    init(database: Database) { self.database = database }

    /// Plays the next scene.
    /// - Returns: what happened, for people.
    mutating func play(_ journal: inout Journal) throws(ShopError) -> String {
        let scene = scenes.next()
        // Where the commit record will stand: nothing of this transaction is written after this.
        let rows = try database.run("BEGIN; \(scene.statements); SELECT txid_current(), pg_current_wal_insert_lsn()")
        guard let row = rows.first, row.count == 2, let id = row[0].flatMap({ UInt64($0) }), let lsn = row[1].flatMap(LSN.init) else {
            throw ShopError("PostgreSQL did not say the number of a transaction")
        }
        // Records carry the lower half of the number, as the replication protocol does.
        let transaction = UInt32(truncatingIfNeeded: id)
        if scene.rolledBack {
            try database.run("ROLLBACK")
            journal.rolledBack(transaction)
        } else {
            try database.run("COMMIT")
            journal.committed(.init(transaction: transaction, lsn: lsn))
        }
        return scene.narration
    }
}
