import Testing

@testable import Postgres

@Suite struct StandbyScheduleTests {
    private let start = MonotonicTime(nanoseconds: 0)
    private func at(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }
    private func progress(_ written: UInt64, _ flushed: UInt64) -> StandbyProgress {
        StandbyProgress(written: LSN(rawValue: written), flushed: LSN(rawValue: flushed), applied: LSN(rawValue: flushed))
    }

    @Test func intervalIsCutByTheServersTimeout() {
        #expect(StandbySchedule(interval: .seconds(10), walSenderTimeout: .seconds(2), now: start).interval == .milliseconds(800))
        #expect(StandbySchedule(interval: .seconds(10), walSenderTimeout: nil, now: start).interval == .seconds(10))
        #expect(StandbySchedule(interval: .seconds(10), walSenderTimeout: .seconds(60), now: start).interval == .seconds(10))
    }

    @Test func movedFlushIsReportedOnceASecond() {
        var schedule = StandbySchedule(interval: .seconds(10), walSenderTimeout: nil, now: start)
        #expect(!schedule.isDue(progress(5, 5), now: at(500)))
        #expect(schedule.isDue(progress(5, 5), now: at(1000)))
        _ = schedule.sending(progress(5, 5), now: at(1000))
        #expect(!schedule.isDue(progress(9, 5), now: at(10_999)))
        #expect(schedule.isDue(progress(9, 5), now: at(11_000)))
    }

    @Test func positionsNeverMoveBackAndFlushNeverPassesWrite() {
        var schedule = StandbySchedule(interval: .seconds(10), walSenderTimeout: nil, now: start)
        let sent5 = schedule.sending(progress(5, 9), now: start)
        #expect(sent5 == progress(9, 9))
        let sent6 = schedule.sending(progress(3, 2), now: start)
        #expect(sent6 == progress(9, 9))
    }
}

@Suite struct GatherRuleTests {
    private func at(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }

    @Test func napsOnlyAfterTwoBusyWindows() {
        var rule = GatherRule(isTCP: true, now: at(0))
        rule.received(500_000)
        let nap1 = rule.nap(now: at(6))
        #expect(nap1 == nil)
        rule.received(500_000)
        let nap2 = rule.nap(now: at(12))
        #expect(nap2 == .milliseconds(5))
        rule.received(100)
        let stillNaps = [18, 24].map { rule.nap(now: at($0)) }
        #expect(stillNaps == [nil, nil])
    }

    @Test func napsShortAtTheRateOfARowAWakeUp() {
        var rule = GatherRule(isTCP: true, now: at(0))
        rule.received(20_000)
        let nap1 = rule.nap(now: at(5))
        #expect(nap1 == nil)
        rule.received(20_000)
        let nap2 = rule.nap(now: at(10))
        #expect(nap2 == .microseconds(800))
    }

    @Test func aTrickleNeverNaps() {
        var rule = GatherRule(isTCP: true, now: at(0))
        for step in 1...100 {
            rule.received(150)
            let nap4 = rule.nap(now: at(Int64(step)))
            #expect(nap4 == nil)
        }
    }
}

@Suite struct ServerChecksTests {
    private let good = ServerFacts(
        version: 150_018, walLevel: "logical", slotsMax: 10, slotsUsed: 1, sendersMax: 10, sendersUsed: 1, isInRecovery: false, role: "cdc",
        mayReplicate: true, database: "d", encoding: "UTF8", mayCreate: true)

    private func bad(_ change: (inout ServerFacts) -> Void) -> [ServerFinding] {
        var facts = good
        change(&facts)
        return ServerChecks.findings(facts, needsSlot: true, needsPublication: true).filter { $0.verdict != .passed }
    }

    @Test func goodServerPasses() { #expect(bad { _ in }.isEmpty) }

    @Test func eachFaultHasACure() {
        #expect(bad { $0.walLevel = "replica" }.map(\.cure) == ["ALTER SYSTEM SET wal_level = 'logical'; then restart the server"])
        #expect(bad { $0.mayReplicate = false }.map(\.verdict) == [.authentication])
        #expect(bad { $0.mayReplicate = false }.map(\.cure) == ["ALTER ROLE \"cdc\" REPLICATION"])
        #expect(bad { $0.isInRecovery = true }.map(\.name) == ["primary"])
        #expect(
            bad {
                $0.isInRecovery = true
                $0.version = 160_001
            }.isEmpty)
        #expect(bad { $0.slotsUsed = 10 }.map(\.name) == ["max_replication_slots"])
        #expect(bad { $0.sendersUsed = 10 }.map(\.name) == ["max_wal_senders"])
        #expect(bad { $0.encoding = "SQL_ASCII" }.map(\.verdict) == [.warning])
        #expect(bad { $0.mayCreate = false }.map(\.verdict) == [.authentication])
        #expect(bad { $0.version = 110_000 }.map(\.name) == ["server_version"])
    }
}
