import Checkpoint
import Postgres
import Settings

/// What a start finds, and what it does about it. Pure: the whole of "never recreate, never guess" is this table.
enum StartDecision: Equatable {
    /// Nothing of this stream exists: make the slot, with a snapshot where the mode wants one.
    case begin
    /// A start that was cut short between intent and record: its slot goes, and it begins anew.
    case beginAnew
    /// Read the snapshot again, behind the same slot.
    case snapshotAgain(attempt: Int)
    /// Go on at this position.
    case stream(position: UInt64, lastCommitEnd: UInt64)
    /// A slot without any state, taken at its own confirmed position.
    case adopt(position: UInt64)
    /// `initial_only` is done.
    case finished
    case refuse(ExitCode, reason: String, cure: String)

    struct Found {
        var record: CheckpointRecord?
        var slot: SlotState?
        var systemIdentifier: UInt64
        var timeline: Int
        /// Where the server's WAL ends.
        var serverEnd: UInt64 = .max
        var database: String
        var outputPlugin: String
    }

    static func make(_ found: Found, source: SourceSettings, mode: SnapshotMode) -> StartDecision {
        guard let record = found.record, record.phase != .slotIntended else { return fresh(found, source: source, mode: mode) }
        if record.systemIdentifier != found.systemIdentifier {
            return .refuse(
                .slot, reason: "the position belongs to cluster \(record.systemIdentifier), but the server is cluster \(found.systemIdentifier)",
                cure: "point source.connection at the old cluster, or begin a new stream with another state.directory")
        }
        if record.timeline != found.timeline {
            return .refuse(
                .slot, reason: "the position is of timeline \(record.timeline), but the server is on timeline \(found.timeline): it was promoted or restored",
                cure: "changes may be missing; check the slot and begin a new snapshot with another state.directory")
        }
        if record.slotName != source.slot.name {
            return .refuse(
                .slot, reason: "the position belongs to slot \(record.slotName), but source.slot.name is \(source.slot.name)",
                cure: "set source.slot.name back, or begin a new stream with another state.directory")
        }
        if record.position > found.serverEnd {
            return .refuse(
                .slot,
                reason: "the position is \(LSN(rawValue: record.position)), but the server's WAL ends at \(LSN(rawValue: found.serverEnd)): "
                    + "it was restored from an older copy",
                cure: "changes made since then would be passed over: drop the slot and remove the state directory to begin with a new snapshot")
        }
        if record.phase == .snapshotDone {
            return mode == .initialOnly ? .finished : fresh(found, source: source, mode: mode)
        }
        guard let slot = found.slot else {
            return .refuse(
                .slot, reason: "slot \(source.slot.name) does not exist any more, and the stream stood at \(LSN(rawValue: record.position))",
                cure: "what was committed since then cannot be read: remove the state directory to begin with a new snapshot")
        }
        if let bad = unusable(slot, found) { return bad }
        if let confirmed = slot.confirmedFlushLSN, confirmed.rawValue > record.position {
            return .refuse(
                .slot,
                reason: "slot \(slot.name) begins at \(confirmed), after the position \(LSN(rawValue: record.position)): it was recreated or moved by somebody else",
                cure: "changes between the two are lost to this stream: remove the state directory and drop the slot to begin with a new snapshot")
        }
        if case .snapshotting(_, let attempt) = record.phase {
            // Taken as it is: whoever says `never` now wants no older rows.
            return mode == .never ? .stream(position: record.slotStart, lastCommitEnd: 0) : .snapshotAgain(attempt: attempt + 1)
        }
        return .stream(position: record.position, lastCommitEnd: record.lastCommitEnd)
    }

    private static func fresh(_ found: Found, source: SourceSettings, mode: SnapshotMode) -> StartDecision {
        // A slot of a temporary kind serves this one: the named slot plays no part.
        if mode == .initialOnly { return .begin }
        guard let slot = found.slot else {
            if source.slot.create { return .begin }
            return .refuse(
                .slot, reason: "slot \(source.slot.name) does not exist, and source.slot.create is false",
                cure: "SELECT pg_create_logical_replication_slot('\(source.slot.name)', '\(found.outputPlugin)');")
        }
        if let bad = unusable(slot, found) { return bad }
        // Only the very slot that the intent named, on the very cluster: any other is somebody else's. One that is still held is waited for.
        if let intent = found.record, intent.phase == .slotIntended, intent.slotName == slot.name, intent.systemIdentifier == found.systemIdentifier,
            source.slot.create
        {
            return .beginAnew
        }
        if mode == .never {
            guard let confirmed = slot.confirmedFlushLSN, confirmed.rawValue > 0 else {
                return .refuse(.slot, reason: "slot \(slot.name) has no confirmed position", cure: "drop it and start again")
            }
            return .adopt(position: confirmed.rawValue)
        }
        return .refuse(
            .slot, reason: "slot \(slot.name) exists, but this stream has no state: nobody knows what was sent from it",
            cure: "set snapshot.mode: never to go on at its confirmed position \(slot.confirmedFlushLSN?.description ?? "?"), or drop it "
                + "(SELECT pg_drop_replication_slot('\(slot.name)')) to begin with a snapshot, or set state.directory to where the state is")
    }

    private static func unusable(_ slot: SlotState, _ found: Found) -> StartDecision? {
        if slot.type != "logical" || slot.plugin != found.outputPlugin {
            return .refuse(
                .slot, reason: "slot \(slot.name) is \(slot.type) with plugin \(slot.plugin ?? "none"), the decoder needs \(found.outputPlugin)",
                cure: "name another slot in source.slot.name")
        }
        if let database = slot.database, database != found.database {
            return .refuse(
                .slot, reason: "slot \(slot.name) belongs to database \(database), the connection is to \(found.database)",
                cure: "name another slot in source.slot.name, or connect to \(database)")
        }
        if slot.walStatus == "lost" || slot.invalidation != nil {
            return .refuse(
                .slot, reason: "slot \(slot.name) is lost: the server removed WAL that it needed\(slot.invalidation.map { " (\($0))" } ?? "")",
                cure: "drop the slot and remove the state directory to begin with a new snapshot; raise max_slot_wal_keep_size")
        }
        return nil
    }
}
