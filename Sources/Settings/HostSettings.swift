/// What `host.yaml` says, with every default filled in.
public struct HostSettings: Sendable, Equatable {
    /// Names this stream: default topic prefix, slot, publication, state file, metric label.
    public var name: String
    /// Where changes come from.
    public var source: SourceSettings
    /// How rows that are already there are read.
    public var snapshot: SnapshotSettings
    /// How topics are named.
    public var topics: TopicSettings
    /// Where checkpoint, lock and private plugin copies live; relative to the working directory.
    public var stateDirectory: String
    /// Bounds.
    public var limits: LimitSettings
    /// How many rows a stage sees at once.
    public var batch: BatchSettings
    /// How what may succeed later is tried again.
    public var retry: RetrySettings
    /// Where refused rows go.
    public var deadLetters: DeadLetterSettings
    /// Where the admin endpoint listens.
    public var adminListen: AdminListen
    /// What is logged, and where.
    public var log: LogSettings
}

/// `source`
public struct SourceSettings: Sendable, Equatable {
    /// Any libpq connection string or URI.
    public var connection: Secret
    /// How changes are fetched.
    public var mode: SourceMode
    /// The replication slot.
    public var slot: SlotSettings
    /// The publication.
    public var publication: PublicationSettings
    /// The tables that take part.
    public var tables: TableSelection
    /// The columns that take part.
    public var columns: ColumnSelection
    /// SQL conditions, in the order of the file.
    public var rows: [RowCondition]
    /// How often the server is told the position at least.
    public var statusInterval: Duration
    /// How long a connection may take.
    public var connectTimeout: Duration
    /// How long the server may be silent before the link counts as broken.
    public var silenceTimeout: Duration
}

/// `source.mode`
public enum SourceMode: String, Sendable, CaseIterable {
    /// The walsender's stream.
    case stream
}

/// `source.slot`
public struct SlotSettings: Sendable, Equatable {
    /// Its name.
    public var name: String
    /// Whether it is made when nothing of this stream exists yet.
    public var create: Bool
    /// Whether a stop drops it.
    public var dropOnStop: Bool
    /// How long to wait for a slot that another process holds; nil: the server's `wal_sender_timeout` + 10 s.
    public var wait: Duration?
}

/// `source.publication`
public struct PublicationSettings: Sendable, Equatable {
    /// Its name.
    public var name: String
    /// Whether the host makes and alters it.
    public var manage: Bool
}

/// One entry of `source.rows`: a row takes part where the condition is true.
public struct RowCondition: Sendable, Equatable {
    /// The tables it is for.
    public var table: TablePattern
    /// A SQL expression over the table's columns.
    public var condition: String

    /// A condition.
    public init(table: TablePattern, condition: String) {
        self.table = table
        self.condition = condition
    }
}

/// `snapshot`
public struct SnapshotSettings: Sendable, Equatable {
    /// When the rows that are already there are read.
    public var mode: SnapshotMode
    /// Connections that read side by side.
    public var workers: Int
    /// Rows of one piece of work.
    public var chunkRows: Int
}

/// `snapshot.mode`
public enum SnapshotMode: String, Sendable, CaseIterable {
    /// At the first start.
    case initial
    /// At the first start, and nothing after it.
    case initialOnly = "initial_only"
    /// Never.
    case never
}

/// `topics`
public struct TopicSettings: Sendable, Equatable {
    /// What `{prefix}` stands for.
    public var prefix: String
    /// `{prefix}.{schema}.{table}`
    public var template: String
}

/// `limits`
public struct LimitSettings: Sendable, Equatable {
    /// Everything that waits, in bytes.
    public var inFlight: Int
    /// Key, value, headers and 128, in bytes.
    public var record: Int
    /// How long a stop may drain.
    public var stop: Duration
}

/// `batch`
public struct BatchSettings: Sendable, Equatable {
    /// Rows of a batch at most.
    public var rows: Int
    /// Received bytes of a batch at most.
    public var bytes: Int
}

/// `retry`
public struct RetrySettings: Sendable, Equatable {
    /// The first pause.
    public var initial: Duration
    /// The longest pause.
    public var max: Duration
    /// When to stop trying; nil: never.
    public var giveUpAfter: Duration?
}

/// `dead_letters`
public struct DeadLetterSettings: Sendable, Equatable {
    /// `dead_letters.values`
    public enum Values: String, Sendable, CaseIterable {
        /// As PostgreSQL sent them.
        case original
        /// Left out.
        case none
    }

    /// The topic, `{prefix}` replaced.
    public var topic: String
    /// Whether row values are in it.
    public var values: Values
}

/// `log`
public struct LogSettings: Sendable, Equatable {
    /// `log.level`
    public enum Level: String, Sendable, CaseIterable { case debug, info, warning, error }
    /// `log.format`
    public enum Format: String, Sendable, CaseIterable { case text, json }

    /// The lowest level that is written.
    public var level: Level
    /// For people or for machines.
    public var format: Format
    /// A file; nil is standard error.
    public var file: String?
}

/// `admin.listen`
public enum AdminListen: Sendable, Hashable, CustomStringConvertible {
    /// No endpoint.
    case off
    /// A TCP socket; port 0 picks one.
    case tcp(host: String, port: UInt16)
    /// A Unix socket.
    case unix(path: String)

    /// From `off`, `HOST:PORT`, `[::1]:PORT` or `unix:PATH`; nil for anything else.
    public init?(_ text: String) {
        if text == "off" {
            self = .off
        } else if text.hasPrefix("unix:") {
            let path = text.dropFirst(5)
            // sun_path holds 107 bytes and a zero.
            guard !path.isEmpty, path.utf8.count < 108 else { return nil }
            self = .unix(path: String(path))
        } else {
            guard let colon = text.lastIndex(of: ":") else { return nil }
            var host = text[..<colon]
            let digits = text[text.index(after: colon)...]
            guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let port = UInt16(digits) else { return nil }
            if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() } else if host.contains(":") { return nil }
            guard !host.isEmpty, !host.contains(" "), !host.contains("/") else { return nil }
            self = .tcp(host: String(host), port: port)
        }
    }

    /// As it is written.
    public var description: String {
        switch self {
        case .off: "off"
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
