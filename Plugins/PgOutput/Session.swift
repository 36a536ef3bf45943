/// What the messages so far said that later ones need. Lives in plain memory, so that no row pays for an access check.
struct Session {
    var relations = RelationTable()
    /// Between Begin and Commit.
    var inTransaction = false
    /// What Begin announced; means something inside a transaction only.
    var commitLSN: UInt64 = 0
}
