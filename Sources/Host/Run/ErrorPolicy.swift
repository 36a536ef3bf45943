import Chain
import Checkpoint
import PluginABI
import PluginLoader
import Postgres

/// Every error that ends a stream or lets it try again is judged here, and nowhere else.
enum ErrorPolicy {
    enum Verdict {
        case retry(String)
        /// Another process holds the slot: wait as long as `source.slot.wait` says.
        case slotHeld(String)
        /// A stop was asked for.
        case interrupted
        case exit(HostExit)
    }

    static func judge(_ error: PostgresError) -> Verdict {
        let text = error.description
        switch error.failure {
        case .retryable: return .retry(text)
        case .interrupted: return .interrupted
        case .slotInUse: return .slotHeld(text)
        case .authentication:
            return .exit(HostExit(.permission, text, cure: "give the role what is missing, or correct source.connection; see docs/operations.md"))
        case .configuration: return .exit(HostExit(.configuration, text, cure: "correct the setting and start again"))
        case .slot:
            return .exit(HostExit(.slot, text, cure: "changes may be lost: see 'The slot is gone' in docs/operations.md before anything is made anew"))
        case .protocolViolation: return .exit(HostExit(.data, text, cure: "report it with the server's version"))
        }
    }

    /// The catalog was asked for a table's shape while rows flow.
    static func judge(catalog error: any Error) -> Verdict {
        (error as? PostgresError).map(judge) ?? .exit(HostExit(.defect, "the catalog could not be asked: \(error)", cure: "report it"))
    }

    static func exit(_ error: CheckpointError) -> HostExit {
        switch error {
        case .io, .damaged, .newer, .poisoned: HostExit(.io, error.description)
        case .otherStream: HostExit(.slot, error.description)
        case .held: HostExit(.held, error.description)
        case .contradiction: HostExit(.defect, error.description)
        case .name: HostExit(.configuration, error.description)
        }
    }

    static func exit(_ error: PluginError) -> HostExit { HostExit(.plugin, error.description) }

    /// A stage that refused at start or at a reload.
    static func exit(atStart failure: StageFailure) -> HostExit {
        HostExit(failure.status == CDCP_E_UNSUPPORTED ? .configuration : code(failure.status), failure.description)
    }

    private static func code(_ status: cdcp_status) -> ExitCode {
        switch status {
        case CDCP_E_CONFIG: .configuration
        case CDCP_E_PERMISSION: .permission
        case CDCP_E_DATA: .data
        default: .plugin
        }
    }

    /// What the stage thread stopped for; nil: nothing that ends the process.
    static func exit(_ stop: LaneStop) -> HostExit? {
        switch stop {
        case .boundary, .abandoned, .sourceEnded, .snapshotEnded, .catalog: return nil
        case .data(let stage, let message, let position):
            return HostExit(.data, "\(stage): \(message) (at \(LSN(rawValue: position)))", cure: "nothing after it was acknowledged; see docs/operations.md, exit code 65")
        case .shapeRefused(let table, let failure):
            return HostExit(
                .data, "\(failure.stage) refuses the present shape of \(table): \(failure.message)",
                cure: "no row of that shape was sent; correct the stage's file or the table, and start again")
        case .rowRefused(let row):
            let size = row.size.map { ", \($0) bytes" } ?? ""
            return HostExit(
                .data,
                "\(row.stage) refuses a row of \(row.table.isEmpty ? "no table" : row.table) (key hash \(row.keyHash.isEmpty ? "none" : row.keyHash), commit "
                    + "\(LSN(rawValue: row.commitLSN)), ordinal \(row.ordinal)\(size)): \(row.message)",
                cure: row.code == CDCP_CODE_TOO_LARGE
                    ? "raise limits.record and the topic's max.message.bytes, or set on_error: skip in the sink's file"
                    : "correct the row or the stage's options, or set on_error: skip in \(row.stage)'s file; nothing after it was acknowledged")
        case .stage(let failure):
            return HostExit(code(failure.status), failure.description, cure: "see the stage's own lines in the log")
        case .topic(let name, let failure):
            return HostExit(
                code(failure.status), "\(failure.stage): topic \(name) cannot be had: \(failure.message)",
                cure: "make the topic, allow the host to, or set topics.create")
        }
    }

    static func exit(_ loss: SinkLoss, sink: String) -> HostExit? {
        switch loss {
        case .rewind: nil
        case .record(let record):
            HostExit(
                .data,
                "\(sink): a record for topic \(record.topic) (hash of its key \(record.keyHash.isEmpty ? "none" : record.keyHash), \(record.bytes) bytes, "
                    + "behind \(LSN(rawValue: record.after))) was refused: \(record.message)",
                cure: record.code == CDCP_CODE_TOO_LARGE
                    ? "raise the topic's max.message.bytes, or set on_error: skip in the sink's file; nothing after it was acknowledged"
                    : "correct the cause, or set on_error: skip in the sink's file; nothing after it was acknowledged")
        case .fatal(let code, let message):
            switch code {
            case CDCP_CODE_PERMISSION: HostExit(.permission, "\(sink): \(message)", cure: "give the client the right, and start again")
            case CDCP_CODE_CONFIG: HostExit(.configuration, "\(sink): \(message)", cure: "correct the topic or the sink's options, and start again")
            default: HostExit(.plugin, "\(sink): \(message)")
            }
        }
    }
}
