import Pipeline
import Testing

@Suite struct AckLedgerTests {
    private func mark(_ position: UInt64, time: Int64 = 0) -> StreamMark { StreamMark(position: position, lastCommitEnd: position, commitTime: time) }

    @Test func completionsInAnyOrderMoveOnlyOverAnUnbrokenRow() {
        var ledger = AckLedger(start: mark(10))
        let ids = (1...4).map { ledger.submitted(mark: mark(10 + UInt64($0) * 10), transactions: 1) }
        #expect(ledger.completed(ids[2]) == false)
        #expect(ledger.completed(ids[1]) == false)
        #expect(ledger.durable == mark(10))
        #expect(ledger.completed(ids[0]) == true)
        #expect(ledger.durable == mark(40))
        #expect(ledger.transactions == 3)
        #expect(ledger.outstanding == 1)
        #expect(ledger.completed(ids[3]) == true)
        #expect(ledger.durable == mark(50))
    }

    @Test func aSubmissionThatFailedIsNeverAcknowledgedNorAnythingBehindIt() {
        var ledger = AckLedger(start: mark(1))
        let failed = ledger.submitted(mark: mark(2), transactions: 1)
        for position in 3..<5000 as Range<UInt64> {
            let id = ledger.submitted(mark: mark(position), transactions: 1)
            #expect(ledger.completed(id) == false)
        }
        #expect(ledger.durable == mark(1))
        #expect(ledger.passed(mark(9000), transactions: 1) == false)
        #expect(ledger.durable == mark(1))
        #expect(failed == 1)
    }

    @Test func aTransactionOverSeveralSubmissionsCountsWithItsLast() {
        var ledger = AckLedger(start: mark(1))
        let first = ledger.submitted(mark: nil, transactions: 0)
        let second = ledger.submitted(mark: nil, transactions: 0)
        let last = ledger.submitted(mark: mark(7), transactions: 1)
        #expect(ledger.completed(last) == false)
        #expect(ledger.completed(first) == false)
        #expect(ledger.durable == mark(1))
        #expect(ledger.completed(second) == true)
        #expect(ledger.durable == mark(7))
    }

    @Test func whatHasNoRecordWaitsForWhatIsBeforeIt() {
        var ledger = AckLedger(start: mark(1))
        #expect(ledger.passed(mark(5), transactions: 2) == true)
        #expect(ledger.durable == mark(5))
        #expect(ledger.transactions == 2)
        let id = ledger.submitted(mark: mark(6), transactions: 1)
        #expect(ledger.passed(mark(9), transactions: 1) == false)
        #expect(ledger.durable == mark(5))
        #expect(ledger.completed(id) == true)
        #expect(ledger.durable == mark(9))
        #expect(ledger.transactions == 4)
    }

    @Test func unknownAndRepeatedCompletionsAreRefused() {
        var ledger = AckLedger(start: mark(1))
        #expect(ledger.completed(1) == nil)
        let first = ledger.submitted(mark: mark(2), transactions: 1)
        let second = ledger.submitted(mark: mark(3), transactions: 1)
        #expect(ledger.completed(second) == false)
        #expect(ledger.completed(second) == nil)
        #expect(ledger.completed(first) == true)
        #expect(ledger.completed(first) == nil)
        #expect(ledger.completed(0) == nil)
        #expect(ledger.completed(UInt64.max) == nil)
    }

    @Test func numbersGoOnAfterARewind() {
        var ledger = AckLedger(start: mark(1))
        let lost = ledger.submitted(mark: mark(2), transactions: 1)
        ledger = AckLedger(start: ledger.durable, transactions: ledger.transactions, nextID: ledger.nextID)
        #expect(ledger.completed(lost) == nil)
        let again = ledger.submitted(mark: mark(2), transactions: 1)
        #expect(again == lost + 1)
        #expect(ledger.completed(again) == true)
    }

    @Test func lagIsTheOldestTransactionThatWaits() {
        var ledger = AckLedger(start: mark(1))
        #expect(ledger.oldestPendingCommitTime == nil)
        let first = ledger.submitted(mark: nil, transactions: 0)
        _ = ledger.submitted(mark: mark(3, time: 70), transactions: 1)
        _ = ledger.submitted(mark: mark(4, time: 80), transactions: 1)
        #expect(ledger.oldestPendingCommitTime == 70)
        _ = ledger.completed(first)
        #expect(ledger.oldestPendingCommitTime == 70)
        _ = ledger.completed(first + 1)
        #expect(ledger.oldestPendingCommitTime == 80)
    }
}
