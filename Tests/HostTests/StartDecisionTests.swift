import Testing

@testable import Checkpoint
@testable import Host
@testable import Postgres
@testable import Settings

/// Every row of the table: what a start finds, and what it does about it.
@Suite struct StartDecisionTests {
    private static let system: UInt64 = 7_000_000_000_000_000_001

    private func record(_ phase: CheckpointRecord.Phase, position: UInt64 = 500, slotStart: UInt64 = 100) -> CheckpointRecord {
        CheckpointRecord(
            streamName: "shop", systemIdentifier: Self.system, timeline: 1, slotName: "cdc_shop", publicationName: "cdc_shop", slotCreatedByUs: true,
            publicationCreatedByUs: true, phase: phase, position: position, slotStart: slotStart, lastCommitEnd: 480, writtenAtMicroseconds: 1)
    }

    private func slot(confirmed: UInt64? = 400) -> SlotState {
        SlotState(
            name: "cdc_shop", plugin: "pgoutput", type: "logical", database: "shop", isActive: false, activePID: nil, restartLSN: LSN(rawValue: 90),
            confirmedFlushLSN: confirmed.map { LSN(rawValue: $0) }, walStatus: "reserved", retainedBytes: 0, isTemporary: false, isTwoPhase: false,
            invalidation: nil)
    }

    private func source(create: Bool = true, slotName: String = "cdc_shop") -> SourceSettings {
        SourceSettings(
            connection: Secret("dbname=shop"), mode: .stream, slot: SlotSettings(name: slotName, create: create, dropOnStop: false, wait: nil),
            publication: PublicationSettings(name: "cdc_shop", manage: true), tables: TableSelection(include: []), columns: ColumnSelection(),
            rows: [],
            statusInterval: .seconds(10), connectTimeout: .seconds(10), silenceTimeout: .seconds(60))
    }

    private func decide(
        _ record: CheckpointRecord?, _ slot: SlotState?, mode: SnapshotMode = .initial, create: Bool = true, slotName: String = "cdc_shop",
        system: UInt64 = Self.system, timeline: Int = 1
    ) -> StartDecision {
        let found = StartDecision.Found(
            record: record, slot: slot, systemIdentifier: system, timeline: timeline, database: "shop", outputPlugin: "pgoutput")
        return StartDecision.make(found, source: source(create: create, slotName: slotName), mode: mode)
    }

    private func refusal(_ decision: StartDecision) -> ExitCode? {
        guard case .refuse(let code, let reason, let cure) = decision else { return nil }
        #expect(!reason.isEmpty && !cure.isEmpty)
        return code
    }

    @Test func nothingOfThisStreamExists() {
        for mode in SnapshotMode.allCases { #expect(decide(nil, nil, mode: mode) == .begin) }
        #expect(refusal(decide(nil, nil, create: false)) == .slot)
    }

    @Test func aStartCutShortBeforeItsFirstRecordBeginsAnew() {
        let intended = record(.slotIntended, position: 0, slotStart: 0)
        #expect(decide(intended, nil) == .begin)
        #expect(decide(intended, slot()) == .beginAnew)
        var held = slot()
        held.isActive = true
        held.activePID = 42
        // Dropping it waits for whoever holds it.
        #expect(decide(intended, held) == .beginAnew)
    }

    @Test func anIntentNeverCostsSomebodyElseASlot() {
        let intended = record(.slotIntended, position: 0, slotStart: 0)
        var other = slot()
        other.name = "other"
        #expect(refusal(decide(intended, other, slotName: "other")) == .slot)
        #expect(refusal(decide(intended, slot(), system: Self.system + 1)) == .slot)
        #expect(refusal(decide(intended, slot(), create: false)) == .slot)
    }

    @Test func aServerBehindThePositionWasRestored() {
        let found = StartDecision.Found(
            record: record(.streaming), slot: slot(), systemIdentifier: Self.system, timeline: 1, serverEnd: 499, database: "shop", outputPlugin: "pgoutput")
        #expect(refusal(StartDecision.make(found, source: source(), mode: .initial)) == .slot)
    }

    @Test func aSlotWithoutStateIsTakenOnlyWhenNoOldRowsAreWanted() {
        #expect(decide(nil, slot(), mode: .never) == .adopt(position: 400))
        #expect(refusal(decide(nil, slot(), mode: .initial)) == .slot)
        #expect(refusal(decide(nil, slot(confirmed: nil), mode: .never)) == .slot)
        // The named slot plays no part.
        #expect(decide(nil, slot(), mode: .initialOnly) == .begin)
    }

    @Test func theStreamGoesOnAtItsPosition() {
        #expect(decide(record(.streaming), slot()) == .stream(position: 500, lastCommitEnd: 480))
        #expect(decide(record(.streaming), slot(confirmed: 500)) == .stream(position: 500, lastCommitEnd: 480))
        #expect(decide(record(.streaming), slot(confirmed: nil), mode: .never) == .stream(position: 500, lastCommitEnd: 480))
    }

    @Test func aSnapshotCutShortIsReadAgainBehindTheSameSlot() {
        let cut = record(.snapshotting(consistentPoint: 100, attempt: 2), position: 100)
        #expect(decide(cut, slot(confirmed: 100)) == .snapshotAgain(attempt: 3))
        #expect(decide(cut, slot(confirmed: 100), mode: .never) == .stream(position: 100, lastCommitEnd: 0))
        #expect(refusal(decide(cut, nil)) == .slot)
    }

    @Test func aSnapshotAloneIsDoneOnce() {
        #expect(decide(record(.snapshotDone), nil, mode: .initialOnly) == .finished)
        #expect(decide(record(.snapshotDone), nil) == .begin)
        #expect(refusal(decide(record(.snapshotDone), slot())) == .slot)
    }

    @Test func nothingIsGuessedWhenSlotOrClusterDoNotFit() {
        let streaming = record(.streaming)
        #expect(refusal(decide(streaming, nil)) == .slot)
        #expect(refusal(decide(streaming, slot(), system: 5)) == .slot)
        #expect(refusal(decide(streaming, slot(), timeline: 2)) == .slot)
        #expect(refusal(decide(streaming, slot(), slotName: "other")) == .slot)
        // Recreated, or moved by somebody else.
        #expect(refusal(decide(streaming, slot(confirmed: 501))) == .slot)
    }

    @Test func aSlotThatCannotBeReadIsRefused() {
        var bad: [SlotState] = []
        for change: (inout SlotState) -> Void in [
            { $0.walStatus = "lost" }, { $0.invalidation = "wal_removed" }, { $0.plugin = "wal2json" },
            {
                $0.type = "physical"
                $0.plugin = nil
            }, { $0.database = "other" },
        ] {
            var one = slot()
            change(&one)
            bad.append(one)
        }
        for one in bad {
            #expect(refusal(decide(record(.streaming), one)) == .slot)
            #expect(refusal(decide(nil, one, mode: .never)) == .slot)
        }
    }
}
