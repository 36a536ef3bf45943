/// Follows the stream's transactions on the stage thread: what is open, what the last complete one was, and what a new connection would
/// send again. Pure; one owner.
///
/// On a reconnect the server repeats the transaction that was cut off from its beginning. Its rows up to `cutAfter` have been handed to the
/// sink already, so they are skipped by (commit LSN, place in the transaction): the only identity that is unique and stable.
public struct TransactionTracker: Sendable {
    /// The last complete transaction or idle position: where a new connection of this process starts.
    public private(set) var mark: StreamMark
    /// Between begin and commit.
    public private(set) var isOpen = false
    /// Of the open transaction, or of the last one.
    public private(set) var commitLSN: UInt64 = 0
    /// Rows of the open transaction so far.
    public private(set) var rows: UInt64 = 0
    /// Complete transactions since the start.
    public private(set) var completed = 0
    private var skipCommitLSN: UInt64 = 0
    private var skipRows: UInt64 = 0

    /// How a stream can break its own rules.
    public enum Violation: Error, Equatable, Sendable {
        case beginInsideTransaction
        case rowOutsideTransaction
        case commitWithoutBegin
        /// The commit record is not the one that Begin announced.
        case commitMismatch
        /// Behind what was complete already.
        case wentBack
    }

    /// - Parameter start: where the stream begins.
    public init(start: StreamMark) { mark = start }

    /// A transaction begins.
    public mutating func begin(commitLSN: UInt64) throws(Violation) {
        guard !isOpen else { throw .beginInsideTransaction }
        isOpen = true
        self.commitLSN = commitLSN
        rows = 0
    }

    /// One row of the open transaction.
    /// - Returns: its place from 1, and whether it was handed on before the last reconnect.
    public mutating func row() throws(Violation) -> (seq: UInt64, skip: Bool) {
        guard isOpen else { throw .rowOutsideTransaction }
        rows += 1
        return (rows, rows <= skipRows && commitLSN == skipCommitLSN)
    }

    /// The transaction is complete.
    public mutating func commit(commitLSN: UInt64, end: UInt64, time: Int64) throws(Violation) {
        guard isOpen else { throw .commitWithoutBegin }
        guard commitLSN == self.commitLSN else { throw .commitMismatch }
        guard end >= mark.position else { throw .wentBack }
        isOpen = false
        completed += 1
        skipRows = 0
        mark = StreamMark(position: end, lastCommitEnd: end, commitTime: time)
    }

    /// A logical message outside transactions: a transaction of its own. Positions behind the mark are repeats that change nothing.
    /// - Parameter lsn: as the server says it, the end of the message's record.
    public mutating func standalone(lsn: UInt64) throws(Violation) {
        guard !isOpen else { throw .rowOutsideTransaction }
        completed += 1
        // Not a byte further: the next record begins right there, and a server that is told more leaves it out.
        if lsn > mark.position { mark.position = lsn }
    }

    /// The server says that nothing of ours lies before `position`. Counts only between transactions (a keepalive's end of WAL inside one
    /// would confirm rows that are still on their way).
    /// - Returns: whether the mark moved.
    public mutating func idle(at position: UInt64) -> Bool {
        guard !isOpen, position > mark.position else { return false }
        // The server has passed the transaction that was cut off, and has nothing of it any more.
        if position > skipCommitLSN { skipRows = 0 }
        mark.position = position
        return true
    }

    /// The last `count` rows do not count: the message that they came of was refused.
    public mutating func takeBack(rows count: UInt64) { rows = rows > count ? rows - count : 0 }

    /// The server still has to repeat a transaction whose first rows were handed on before a reconnect.
    public var isCutOff: Bool { !isOpen && skipRows > 0 }

    /// The connection is gone: the open transaction will come again.
    public mutating func disconnected() {
        if isOpen, rows >= skipRows || commitLSN != skipCommitLSN {
            skipCommitLSN = commitLSN
            skipRows = rows
        }
        isOpen = false
        rows = 0
    }

    /// Everything behind `mark` will come again, and is wanted again (the sink lost it).
    public mutating func rewind(to mark: StreamMark) {
        self.mark = mark
        isOpen = false
        rows = 0
        skipCommitLSN = 0
        skipRows = 0
    }
}
