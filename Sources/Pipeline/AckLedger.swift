/// How far a stream has come, as far as one side is concerned.
public struct StreamMark: Equatable, Sendable {
    /// Everything up to here is covered: the end of a commit record, or an idle position that a keepalive announced.
    public var position: UInt64
    /// End of the last commit record at or before `position`; 0: none yet. Kept across restarts, since events name their predecessor.
    public var lastCommitEnd: UInt64
    /// Commit time of that transaction, microseconds since 1970 UTC; 0: none.
    public var commitTime: Int64
    /// The snapshot ends here.
    public var endsSnapshot: Bool

    /// A place in the stream.
    public init(position: UInt64, lastCommitEnd: UInt64 = 0, commitTime: Int64 = 0, endsSnapshot: Bool = false) {
        self.position = position
        self.lastCommitEnd = lastCommitEnd
        self.commitTime = commitTime
        self.endsSnapshot = endsSnapshot
    }
}

/// Decides what may be confirmed to the server.
///
/// Submissions enter in the order of the stream, each with the last transaction that is complete behind it. They complete in any order;
/// `durable` moves only over an unbroken row of completed ones, so a transaction counts when every record of it, and of all before it, has
/// been delivered. A failed submission stops the row for good: nothing at or after it is ever acknowledged.
///
/// Not thread-safe; the owner locks. Constant time a call, no allocation once warm.
public struct AckLedger: Sendable {
    private struct Entry: Sendable {
        var mark: StreamMark?
        var transactions: Int
        var done: Bool
    }

    private var entries: [Entry] = []
    private var head = 0
    /// The oldest submission that has not been passed; numbers below it are of the past.
    public private(set) var firstID: UInt64 = 1

    /// Everything up to this mark has been delivered.
    public private(set) var durable: StreamMark
    /// Transactions behind `durable`, since this ledger began.
    public private(set) var transactions = 0

    /// - Parameters:
    ///   - transactions: carried over from the ledger before it, after a rewind.
    ///   - nextID: numbers go on, so that a late completion of the past is never taken for a new one.
    public init(start: StreamMark, transactions: Int = 0, nextID: UInt64 = 1) {
        durable = start
        self.transactions = transactions
        firstID = nextID
    }

    /// Number of the next submission.
    public var nextID: UInt64 { firstID + UInt64(entries.count - head) }
    /// Submissions that wait for their completion, or behind one that does.
    public var outstanding: Int { entries.count - head }
    /// Commit time of the oldest transaction that is not durable yet; nil when there is none.
    public var oldestPendingCommitTime: Int64? {
        var index = head
        while index < entries.count {
            if let mark = entries[index].mark, mark.commitTime > 0 { return mark.commitTime }
            index += 1
        }
        return nil
    }

    /// Enters the next submission.
    /// - Parameter mark: the last transaction whose every record lies in this submission or one before it; nil: none ended in it.
    public mutating func submitted(mark: StreamMark?, transactions: Int) -> UInt64 {
        let id = nextID
        entries.append(Entry(mark: mark, transactions: transactions, done: false))
        return id
    }

    /// A position that no record belongs to (an empty or filtered transaction, an idle server): counts once all before it is delivered.
    /// - Returns: whether `durable` moved at once.
    public mutating func passed(_ mark: StreamMark, transactions count: Int) -> Bool {
        guard outstanding > 0 else {
            durable = mark
            transactions += count
            return true
        }
        let last = entries.count - 1
        entries[last].mark = mark
        entries[last].transactions += count
        return false
    }

    /// All records of a submission have been delivered. Unknown and repeated numbers are refused.
    /// - Returns: whether `durable` moved; nil: no such submission is open.
    public mutating func completed(_ id: UInt64) -> Bool? {
        guard id >= firstID, id < nextID else { return nil }
        let index = head + Int(id - firstID)
        guard !entries[index].done else { return nil }
        entries[index].done = true
        let before = durable
        while head < entries.count, entries[head].done {
            if let mark = entries[head].mark { durable = mark }
            transactions += entries[head].transactions
            head += 1
            firstID += 1
        }
        // Give back what lies behind the head, seldom enough to cost nothing.
        if head == entries.count {
            entries.removeAll(keepingCapacity: true)
            head = 0
        } else if head > 1024 {
            entries.removeFirst(head)
            head = 0
        }
        return durable != before
    }
}
