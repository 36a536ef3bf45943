import Pipeline
import Testing

@Suite struct ByteBudgetTests {
    @Test func receivedBytesStopAtAQuarterAndGoOnAtAnEighth() {
        var budget = ByteBudget(limit: 800)
        #expect(budget.receivedLimit == 200 && budget.recordLimit == 600)
        budget.add(received: 199)
        #expect(!budget.receivedIsFull)
        budget.add(received: 1)
        #expect(budget.receivedIsFull && !budget.receivedHasRoom)
        budget.remove(received: 100)
        #expect(!budget.receivedIsFull && !budget.receivedHasRoom)
        budget.remove(received: 1)
        #expect(budget.receivedHasRoom)
    }

    @Test func oneLargerThanTheWholePassesAlone() {
        var budget = ByteBudget(limit: 800)
        #expect(budget.admits(records: 10_000))
        budget.add(records: 10_000)
        #expect(!budget.admits(records: 1))
        budget.remove(records: 10_000)
        budget.add(records: 500)
        #expect(budget.admits(records: 100))
        #expect(!budget.admits(records: 101))
        #expect(budget.total == 500)
    }

    @Test func itNeverGoesBelowNothing() {
        var budget = ByteBudget(limit: 0)
        #expect(budget.receivedLimit == 1 && budget.recordLimit == 1)
        budget.remove(received: 5)
        budget.remove(records: 5)
        #expect(budget.total == 0)
        budget.add(received: 7)
        budget.forgetReceived()
        #expect(budget.total == 0)
    }
}

@Suite struct RetryScheduleTests {
    @Test func pausesDoubleWithinBoundsAndKeepHalf() {
        var schedule = RetrySchedule(initial: .seconds(1), longest: .seconds(10), giveUpAfter: nil)
        let least = (0..<6).map { _ in schedule.failed(elapsed: .zero, chance: 0) }
        #expect(least == [0.5, 1, 2, 4, 5, 5].map { .wait(.seconds($0)) })
        schedule.succeeded()
        #expect(schedule.attempts == 0)
        #expect(schedule.failed(elapsed: .zero, chance: 1) == .wait(.seconds(1)))
        #expect(schedule.failed(elapsed: .zero, chance: 7) == .wait(.seconds(2)))
        #expect(schedule.failed(elapsed: .zero, chance: -7) == .wait(.seconds(2)))
    }

    @Test func itNeverGivesUpUnlessToldSo() {
        var schedule = RetrySchedule(initial: .milliseconds(1), longest: .seconds(60), giveUpAfter: nil)
        for _ in 0..<10_000 { #expect(schedule.failed(elapsed: .seconds(3600), chance: 0.5) != .giveUp) }
    }

    @Test func itGivesUpAfterFailingThatLongInOnePiece() {
        var schedule = RetrySchedule(initial: .seconds(1), longest: .seconds(10), giveUpAfter: .seconds(30))
        #expect(schedule.failed(elapsed: .seconds(29), chance: 0) != .giveUp)
        schedule.succeeded()
        #expect(schedule.failed(elapsed: .seconds(29), chance: 0) != .giveUp)
        #expect(schedule.failed(elapsed: .seconds(1), chance: 0) == .giveUp)
    }
}

@Suite struct ReloadBarrierTests {
    @Test func onePlanWaitsAndIsSwappedAtABoundary() {
        var barrier = ReloadBarrier()
        #expect(barrier.reachedBoundary() == false)
        #expect(barrier.request() == true)
        #expect(barrier.request() == false)
        #expect(barrier.reachedBoundary() == true)
        #expect(barrier.state == .swapping)
        #expect(barrier.reachedBoundary() == false)
        #expect(barrier.request() == false)
        barrier.swapped()
        #expect(barrier.request() == true)
    }

    @Test func aSwapThatBeganOrIsDoneCannotBeWithdrawn() {
        var barrier = ReloadBarrier()
        #expect(barrier.request() == true)
        #expect(barrier.withdraw() == true)
        #expect(barrier.request() == true)
        #expect(barrier.reachedBoundary() == true)
        #expect(barrier.withdraw() == false)
        barrier.swapped()
        #expect(barrier.withdraw() == false)
    }
}

@Suite struct SnapshotProgressTests {
    @Test func theFractionReachesOneWithTheLastTableOnly() {
        var progress = SnapshotProgress(estimatedRows: 100, tables: 2)
        progress.add(rows: 50)
        #expect(progress.fraction == 0.5)
        progress.add(rows: 500)
        progress.tableFinished()
        #expect(progress.fraction == 0.99)
        progress.tableFinished()
        #expect(progress.fraction == 1)
        #expect(SnapshotProgress(estimatedRows: 0, tables: 0).fraction == 1)
    }

    @Test func withoutEstimateTablesCount() {
        var progress = SnapshotProgress(estimatedRows: -1, tables: 4)
        progress.tableFinished()
        #expect(progress.fraction == 0.25)
        #expect(progress.remaining == nil)
    }

    @Test func theRateIsSmoothedAndTellsTheTimeLeft() {
        var progress = SnapshotProgress(estimatedRows: 1000, tables: 1)
        progress.add(rows: 100)
        progress.sample(at: .seconds(1))
        #expect(progress.rate == 100)
        #expect(progress.remaining == .seconds(9))
        progress.sample(at: .seconds(1))
        #expect(progress.rate == 100)
        progress.add(rows: 200)
        progress.sample(at: .seconds(2))
        #expect(abs(progress.rate - 130) < 0.001)
    }

    /// A sink that is away for minutes: the rate falls towards nothing, the time left grows beyond any number.
    @Test func aSnapshotThatStandsStillSaysNothingAboutTheTimeLeft() {
        var progress = SnapshotProgress(estimatedRows: 1_000_000_000, tables: 1)
        progress.add(rows: 100_000)
        for second in 1...5000 {
            progress.sample(at: .seconds(second))
            if let remaining = progress.remaining { #expect(remaining < .seconds(31_557_600)) }
        }
        #expect(progress.remaining == nil)
    }
}
