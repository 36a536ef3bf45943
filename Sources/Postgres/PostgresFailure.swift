/// What a connection was used for when it failed. The same SQLSTATE means different things to a slot and to a setting.
public enum PostgresActivity: Sendable, Equatable, Hashable {
    /// Connecting and logging in.
    case connecting
    /// Reading the catalog or the server's settings.
    case reading
    /// Making or altering a publication.
    case publication
    /// Making a slot.
    case slotCreation
    /// Taking up, moving or dropping a slot that should exist.
    case slotUse
    /// Receiving changes.
    case streaming
    /// Copying rows of a table.
    case snapshot
}

/// What to make of an error: each case is one way on, or one exit code.
public enum PostgresFailure: Sendable, Equatable, Hashable {
    /// The link or the server is away, busy or restarting: try again.
    case retryable
    /// The role may not log in or lacks a privilege: exit 77.
    case authentication
    /// A setting of the server or of the host must change first: exit 78.
    case configuration
    /// The slot, or what it needs, is missing or lost: exit 80.
    case slot
    /// Another process holds the slot: wait, then exit 82.
    case slotInUse
    /// The server's bytes make no sense, or it refuses what is always allowed: exit 65.
    case protocolViolation
    /// This process asked to stop.
    case interrupted
}

extension PostgresError {
    /// Decides by SQLSTATE and by what was being done, never by the text of a message. Pure.
    public static func classify(_ sqlstate: String?, doing: PostgresActivity) -> PostgresFailure {
        guard let sqlstate else { return .retryable }
        switch sqlstate {
        case "42501": return .authentication
        case "55006": return doing == .slotUse || doing == .streaming ? .slotInUse : .retryable
        case "3D000": return .configuration
        case "57P04": return .configuration  // the database was dropped
        case "57014": return .retryable  // cancelled from outside
        case "42710": return doing == .slotCreation ? .slot : .retryable  // made by somebody else a moment ago
        case "58P01": return slotActivities.contains(doing) ? .slot : .retryable  // the WAL that the slot needs was removed
        case "42704": return slotActivities.contains(doing) ? .slot : .configuration
        case "55000": return slotActivities.contains(doing) ? .slot : .configuration
        // A table or a column went away under a snapshot: the next one is of what is there then.
        case "42P01", "42703": return doing == .snapshot ? .retryable : .configuration
        case "53400": return .configuration  // all slots or senders are taken: a setting, not a shortage that passes
        case "53300": return .retryable
        default: break
        }
        switch sqlstate.prefix(2) {
        case "08", "40", "53", "57", "58": return .retryable
        case "55": return .retryable
        case "28": return .authentication
        case "0A", "22", "25", "2B", "3F", "42", "44", "54": return .configuration
        case "XX": return doing == .streaming || doing == .snapshot ? .protocolViolation : .retryable
        default: return .retryable
        }
    }

    private static let slotActivities: Set<PostgresActivity> = [.slotUse, .streaming]
}
