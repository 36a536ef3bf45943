/// What the shop has committed, and what a consumer and the slot say of it.
struct Journal {
    /// A committed transaction: its id, and the position at which its commit was written.
    struct Commit {
        var transaction: UInt32
        var lsn: LSN
    }

    /// In the order of their commits.
    private(set) var commits: [Commit] = []
    private(set) var rolledBack: Set<UInt32> = []
    private var delivered: Set<UInt32> = []
    private(set) var snapshotRows = 0

    mutating func committed(_ commit: Commit) { commits.append(commit) }
    mutating func rolledBack(_ transaction: UInt32) { rolledBack.insert(transaction) }

    mutating func received(_ record: ConsumedRecord) {
        if record.operation == .read { snapshotRows += 1 }
        if let transaction = record.transaction { delivered.insert(transaction) }
    }

    /// Transactions of which a consumer has seen records.
    var deliveredCommits: [Commit] { commits.filter { delivered.contains($0.transaction) } }
    var allDelivered: Bool { deliveredCommits.count == commits.count }

    /// Transactions that lie before the confirmed position.
    func confirmedCommits(upTo confirmed: LSN?) -> [Commit] {
        guard let confirmed else { return [] }
        return commits.filter { $0.lsn < confirmed }
    }

    /// What does not agree, as sentences; none: all is well.
    func disagreements(confirmed: LSN?, seededRows: Int) -> [String] {
        var sentences: [String] = []
        let missing = commits.count - deliveredCommits.count
        if missing > 0 { sentences.append("\(missing) committed transactions did not reach the consumer") }
        let unconfirmed = commits.count - confirmedCommits(upTo: confirmed).count
        if unconfirmed > 0 { sentences.append("\(unconfirmed) committed transactions are not confirmed in the slot") }
        let refused = delivered.intersection(rolledBack).count
        if refused > 0 { sentences.append("\(refused) transactions were delivered though they were rolled back") }
        let foreign = delivered.subtracting(rolledBack).count - deliveredCommits.count
        if foreign > 0 { sentences.append("\(foreign) transactions were delivered that the shop did not make") }
        if snapshotRows != seededRows { sentences.append("the snapshot had \(seededRows) rows, \(snapshotRows) were delivered") }
        return sentences
    }
}
