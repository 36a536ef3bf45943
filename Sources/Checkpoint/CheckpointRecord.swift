/// The durable position of one stream, and what it belongs to.
///
/// Positions are LSNs as numbers. A record whose phase has data behind it never has the position 0.
public struct CheckpointRecord: Equatable, Sendable {
    /// How far the stream has come.
    public enum Phase: Equatable, Sendable {
        /// The slot is about to be made, or was made and nothing more: a start that finds this begins anew.
        case slotIntended
        /// The snapshot at `consistentPoint` is being read; attempts count from 1.
        case snapshotting(consistentPoint: UInt64, attempt: Int)
        /// Changes flow.
        case streaming
        /// The snapshot was all that was asked for, and it is complete.
        case snapshotDone
    }

    /// `name` of host.yaml.
    public var streamName: String
    /// Of the cluster, as IDENTIFY_SYSTEM reports it.
    public var systemIdentifier: UInt64
    /// Of the cluster, as IDENTIFY_SYSTEM reports it.
    public var timeline: Int
    /// The replication slot.
    public var slotName: String
    /// The publication.
    public var publicationName: String
    /// This stream made the slot.
    public var slotCreatedByUs: Bool
    /// This stream made the publication, and may take tables out of it.
    public var publicationCreatedByUs: Bool
    /// How far the stream has come.
    public var phase: Phase
    /// Everything that ends before this position is acknowledged.
    public var position: UInt64
    /// The slot's first position; 0 while it is only intended.
    public var slotStart: UInt64
    /// End of the last commit that is acknowledged; 0: none yet.
    public var lastCommitEnd: UInt64
    /// Microseconds since 1970-01-01 UTC.
    public var writtenAtMicroseconds: Int64

    /// A record of these values.
    public init(
        streamName: String, systemIdentifier: UInt64, timeline: Int, slotName: String, publicationName: String,
        slotCreatedByUs: Bool, publicationCreatedByUs: Bool, phase: Phase, position: UInt64, slotStart: UInt64,
        lastCommitEnd: UInt64, writtenAtMicroseconds: Int64
    ) {
        self.streamName = streamName
        self.systemIdentifier = systemIdentifier
        self.timeline = timeline
        self.slotName = slotName
        self.publicationName = publicationName
        self.slotCreatedByUs = slotCreatedByUs
        self.publicationCreatedByUs = publicationCreatedByUs
        self.phase = phase
        self.position = position
        self.slotStart = slotStart
        self.lastCommitEnd = lastCommitEnd
        self.writtenAtMicroseconds = writtenAtMicroseconds
    }

    /// What makes the record one that must not exist; nil for a sound one. Asked before each write and after each read.
    public var contradiction: String? {
        if streamName.isEmpty { return "the stream has no name" }
        if slotName.isEmpty { return "the slot has no name" }
        if timeline < 1 { return "the timeline is \(timeline)" }
        switch phase {
        case .slotIntended: return nil
        case .snapshotting(let consistentPoint, let attempt):
            if consistentPoint == 0 { return "the snapshot has no consistent point" }
            if attempt < 1 { return "the snapshot's attempt is \(attempt)" }
        case .streaming, .snapshotDone: break
        }
        if slotStart == 0 { return "the slot has no first position" }
        if position == 0 { return "the position is 0" }
        if position < slotStart { return "the position is before the slot's first" }
        return nil
    }
}
