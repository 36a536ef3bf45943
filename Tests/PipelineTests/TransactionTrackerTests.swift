import Pipeline
import Testing

@Suite struct TransactionTrackerTests {
    private var tracker = TransactionTracker(start: StreamMark(position: 100, lastCommitEnd: 90))

    private mutating func rows(_ count: Int) throws -> [Bool] { try (0..<count).map { _ in try tracker.row().skip } }

    @Test mutating func whatDoesNotFitIsRefused() throws {
        #expect(throws: TransactionTracker.Violation.rowOutsideTransaction) { try tracker.row() }
        #expect(throws: TransactionTracker.Violation.commitWithoutBegin) { try tracker.commit(commitLSN: 1, end: 2, time: 0) }
        try tracker.begin(commitLSN: 200)
        #expect(throws: TransactionTracker.Violation.beginInsideTransaction) { try tracker.begin(commitLSN: 300) }
        #expect(throws: TransactionTracker.Violation.commitMismatch) { try tracker.commit(commitLSN: 201, end: 210, time: 0) }
        #expect(throws: TransactionTracker.Violation.wentBack) { try tracker.commit(commitLSN: 200, end: 99, time: 0) }
        #expect(throws: TransactionTracker.Violation.rowOutsideTransaction) { try tracker.standalone(lsn: 205) }
        #expect(tracker.mark == StreamMark(position: 100, lastCommitEnd: 90))
        try tracker.commit(commitLSN: 200, end: 210, time: 5)
        #expect(tracker.mark == StreamMark(position: 210, lastCommitEnd: 210, commitTime: 5))
        #expect(tracker.completed == 1)
    }

    @Test mutating func rowsAreNumberedFromOne() throws {
        try tracker.begin(commitLSN: 200)
        #expect(try tracker.row().seq == 1)
        #expect(try tracker.row().seq == 2)
        try tracker.commit(commitLSN: 200, end: 210, time: 0)
        try tracker.begin(commitLSN: 300)
        #expect(try tracker.row().seq == 1)
    }

    @Test mutating func afterAReconnectRowsThatWereHandedOnAreSkipped() throws {
        try tracker.begin(commitLSN: 200)
        _ = try rows(3)
        tracker.disconnected()
        #expect(!tracker.isOpen && tracker.isCutOff)
        try tracker.begin(commitLSN: 200)
        #expect(try rows(5) == [true, true, true, false, false])
        try tracker.commit(commitLSN: 200, end: 210, time: 0)
        #expect(!tracker.isCutOff)
        try tracker.begin(commitLSN: 300)
        #expect(try rows(2) == [false, false])
    }

    @Test mutating func aSecondCutInsideTheRepeatForgetsNothing() throws {
        try tracker.begin(commitLSN: 200)
        _ = try rows(10)
        tracker.disconnected()
        try tracker.begin(commitLSN: 200)
        #expect(try rows(4) == [true, true, true, true])
        tracker.disconnected()
        // Before the transaction has begun again, too.
        tracker.disconnected()
        try tracker.begin(commitLSN: 200)
        #expect(try rows(12).firstIndex(of: false) == 10)
        tracker.disconnected()
        try tracker.begin(commitLSN: 200)
        #expect(try rows(13).firstIndex(of: false) == 12)
    }

    @Test mutating func anotherTransactionIsNotSkippedForTheOneThatWasCut() throws {
        try tracker.begin(commitLSN: 200)
        _ = try rows(10)
        tracker.disconnected()
        try tracker.begin(commitLSN: 180)
        #expect(try rows(2) == [false, false])
    }

    @Test mutating func aRewindWantsEverythingAgain() throws {
        try tracker.begin(commitLSN: 200)
        _ = try rows(10)
        tracker.disconnected()
        tracker.rewind(to: StreamMark(position: 100))
        #expect(!tracker.isCutOff)
        try tracker.begin(commitLSN: 200)
        #expect(try rows(2) == [false, false])
    }

    @Test mutating func rowsOfARefusedMessageDoNotCount() throws {
        try tracker.begin(commitLSN: 200)
        _ = try rows(3)
        tracker.takeBack(rows: 1)
        #expect(tracker.rows == 2)
        tracker.takeBack(rows: 9)
        #expect(tracker.rows == 0)
    }

    /// The keepalive rule: inside a transaction the end of the WAL lies behind rows that are still on their way.
    @Test mutating func anIdlePositionNeverCountsInsideATransaction() throws {
        #expect(tracker.idle(at: 150) == true)
        #expect(tracker.mark == StreamMark(position: 150, lastCommitEnd: 90))
        #expect(tracker.idle(at: 150) == false)
        #expect(tracker.idle(at: 120) == false)
        try tracker.begin(commitLSN: 200)
        let answers = [tracker.idle(at: 1000), tracker.idle(at: 200)]
        #expect(answers == [false, false])
        _ = try rows(1)
        #expect(tracker.idle(at: 1000) == false)
        #expect(tracker.mark.position == 150)
        try tracker.commit(commitLSN: 200, end: 210, time: 0)
        #expect(tracker.idle(at: 1000) == true)
        #expect(tracker.mark == StreamMark(position: 1000, lastCommitEnd: 210))
    }

    @Test mutating func aServerThatHasPassedACutTransactionOwesItNoMore() throws {
        try tracker.begin(commitLSN: 200)
        _ = try rows(3)
        tracker.disconnected()
        #expect(tracker.idle(at: 160) == true)
        #expect(tracker.isCutOff)
        #expect(tracker.idle(at: 250) == true)
        #expect(!tracker.isCutOff)
    }

    /// The server names the end of the message's record, and the next record begins there: one byte more, and a server that is asked to start
    /// there leaves that record out.
    @Test mutating func aMessageOutsideTransactionsMovesTheMarkToItsEndAndNoFurther() throws {
        try tracker.standalone(lsn: 150)
        #expect(tracker.mark == StreamMark(position: 150, lastCommitEnd: 90))
        #expect(tracker.completed == 1)
        try tracker.standalone(lsn: 120)
        #expect(tracker.mark.position == 150)
        try tracker.standalone(lsn: UInt64.max)
        #expect(tracker.mark.position == UInt64.max)
    }
}
