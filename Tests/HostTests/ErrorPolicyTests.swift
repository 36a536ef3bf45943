import Files
import Glibc
import PluginABI
import Testing

@testable import Chain
@testable import Checkpoint
@testable import Host
@testable import Postgres

/// Each error has one exit code, and it is the one of the manual.
@Suite struct ErrorPolicyTests {
    private func code(_ sqlstate: String, _ doing: PostgresActivity) -> ExitCode? {
        guard case .exit(let exit) = ErrorPolicy.judge(PostgresError(.server, sqlstate: sqlstate, doing: doing, what: "try", message: "no"))
        else { return nil }
        return exit.code
    }

    @Test func theSameStateMeansDifferentThingsToSlotAndSetting() {
        #expect(code("55000", .slotCreation) == .configuration)
        #expect(code("55000", .slotUse) == .slot)
        #expect(code("42704", .streaming) == .slot)
        #expect(code("58P01", .streaming) == .slot)
        #expect(code("3D000", .connecting) == .configuration)
        #expect(code("28P01", .connecting) == .permission)
        #expect(code("42501", .publication) == .permission)
        #expect(code("53400", .slotCreation) == .configuration)
    }

    @Test func whatPassesIsTriedAgain() {
        for sqlstate in ["57P01", "57P03", "53300", "08006", "40001"] {
            guard case .retry = ErrorPolicy.judge(PostgresError(.server, sqlstate: sqlstate, doing: .streaming, what: "stream", message: "no")) else {
                Issue.record("\(sqlstate) must be tried again")
                continue
            }
        }
        guard case .retry = ErrorPolicy.judge(PostgresError(.connection, doing: .streaming, what: "stream", message: "gone")) else {
            Issue.record("a broken link must be tried again")
            return
        }
        guard case .slotHeld = ErrorPolicy.judge(PostgresError(.server, sqlstate: "55006", doing: .streaming, what: "stream", message: "held")) else {
            Issue.record("a held slot must be waited for")
            return
        }
    }

    @Test func theCatalogWhileRowsFlow() {
        func verdict(_ kind: PostgresError.Kind, _ sqlstate: String?) -> ErrorPolicy.Verdict {
            ErrorPolicy.judge(catalog: PostgresError(kind, sqlstate: sqlstate, doing: .reading, what: "read the columns", message: "no"))
        }
        for (sqlstate, code) in [("42501", ExitCode.permission), ("28P01", .permission), ("3D000", .configuration), ("42P01", .configuration)] {
            guard case .exit(let exit) = verdict(.server, sqlstate) else {
                Issue.record("\(sqlstate) is permanent")
                continue
            }
            #expect(exit.code == code)
            #expect(exit.reason.contains(sqlstate))
        }
        for (kind, sqlstate) in [(PostgresError.Kind.server, "57P01"), (.server, "57014"), (.server, "53300"), (.connection, nil), (.timeout, nil)] {
            guard case .retry = verdict(kind, sqlstate) else {
                Issue.record("\(kind) \(sqlstate ?? "") passes")
                continue
            }
        }
        guard case .interrupted = verdict(.interrupted, nil) else {
            Issue.record("a stop is a stop")
            return
        }
    }

    @Test func aServerThatShutsDownIsLetGoOfAfterAMoment() {
        var goodbye = ServerGoodbye()
        let answers = [10, 11, 12].map { goodbye.refused(at: .seconds($0)) }
        #expect(answers == [false, false, true])
        goodbye.answered()
        let afterwards = goodbye.refused(at: .seconds(20))
        #expect(!afterwards)
    }

    @Test func stateFiles() {
        let file = FileError(operation: .write, path: "state/shop.checkpoint", code: ENOSPC)
        #expect(ErrorPolicy.exit(CheckpointError.io(file)).code == .io)
        #expect(ErrorPolicy.exit(CheckpointError.held(path: "state/shop.lock", pid: 7)).code == .held)
        #expect(ErrorPolicy.exit(CheckpointError.otherStream(path: "a", found: "b", expected: "c")).code == .slot)
        #expect(ErrorPolicy.exit(CheckpointError.name("..")).code == .configuration)
    }

    @Test func stages() {
        func failure(_ status: cdcp_status) -> StageFailure { StageFailure(stage: "30-masking", call: "bind", status: status, message: "no") }
        #expect(ErrorPolicy.exit(atStart: failure(CDCP_E_CONFIG)).code == .configuration)
        #expect(ErrorPolicy.exit(atStart: failure(CDCP_E_DATA)).code == .data)
        #expect(ErrorPolicy.exit(atStart: failure(CDCP_E_FATAL)).code == .plugin)
        #expect(ErrorPolicy.exit(LaneStop.boundary) == nil)
        #expect(ErrorPolicy.exit(LaneStop.stage(failure(CDCP_E_FATAL)))?.code == .plugin)
        #expect(ErrorPolicy.exit(LaneStop.data(stage: "10-decoder", message: "cut", position: 1))?.code == .data)
        #expect(ErrorPolicy.exit(LaneStop.shapeRefused(table: "public.t", failure: failure(CDCP_E_CONFIG)))?.code == .data)
        #expect(ErrorPolicy.exit(LaneStop.topic(name: "t", failure: failure(CDCP_E_CONFIG)))?.code == .configuration)
    }

    @Test func aRefusedRowIsNamedByEverythingButItsValues() throws {
        let row = RowRefusal(
            stage: "40-codec", table: "public.t", keyHash: "0123456789abcdef", commitLSN: 0x1_0000_0002, ordinal: 3, code: CDCP_CODE_TOO_LARGE,
            message: "too large", size: 2_000_000)
        let exit = try #require(ErrorPolicy.exit(LaneStop.rowRefused(row)))
        #expect(exit.code == .data)
        for part in ["40-codec", "public.t", "0123456789abcdef", "1/2", "2000000"] { #expect(exit.reason.contains(part)) }
        #expect(exit.cure.contains("limits.record"))
    }

    @Test func sinks() {
        #expect(ErrorPolicy.exit(SinkLoss.rewind("fenced"), sink: "60-sink") == nil)
        let refusal = RecordRefusal(topic: "t", keyHash: "0123456789abcdef", bytes: 2_000_000, after: 0x1_0000_0002, code: CDCP_CODE_TOO_LARGE, message: "no")
        let exit = ErrorPolicy.exit(SinkLoss.record(refusal), sink: "60-sink")
        #expect(exit?.code == .data && exit?.cure.contains("max.message.bytes") == true)
        for part in ["60-sink", "topic t", "0123456789abcdef", "1/2", "2000000"] { #expect(exit?.reason.contains(part) == true) }
        #expect(ErrorPolicy.exit(SinkLoss.fatal(code: CDCP_CODE_PERMISSION, message: "no"), sink: "60-sink")?.code == .permission)
        #expect(ErrorPolicy.exit(SinkLoss.fatal(code: CDCP_CODE_CONFIG, message: "no"), sink: "60-sink")?.code == .configuration)
    }
}
