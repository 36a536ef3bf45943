/// How far the snapshot is. Pure: the clock comes from outside.
public struct SnapshotProgress: Sendable {
    /// The server's estimate; 0: none.
    public let estimatedRows: Int
    /// To be read.
    public let tables: Int
    /// Read so far.
    public private(set) var rows = 0
    /// Read to their end.
    public private(set) var finishedTables = 0
    private var lastRows = 0
    private var lastTime: Duration = .zero
    /// Rows a second, smoothed.
    public private(set) var rate: Double = 0

    /// Nothing is read yet.
    public init(estimatedRows: Int, tables: Int) {
        self.estimatedRows = max(estimatedRows, 0)
        self.tables = tables
    }

    /// Rows were read.
    public mutating func add(rows count: Int) { rows += count }
    /// A table was read to its end.
    public mutating func tableFinished() { finishedTables += 1 }

    /// 0...1; below 1 until the last table is finished, since row counts are the server's estimate.
    public var fraction: Double {
        if tables == 0 || finishedTables >= tables { return 1 }
        let byRows = estimatedRows > 0 ? Double(rows) / Double(estimatedRows) : Double(finishedTables) / Double(max(tables, 1))
        return min(max(byRows, 0), 0.99)
    }

    /// Measures the rate at `elapsed` since the snapshot began.
    public mutating func sample(at elapsed: Duration) {
        let seconds = Self.seconds(elapsed - lastTime)
        guard seconds > 0 else { return }
        let now = Double(rows - lastRows) / seconds
        rate = rate == 0 ? now : rate * 0.7 + now * 0.3
        lastRows = rows
        lastTime = elapsed
    }

    /// Time left at the present rate; nil while unknown, and when it stands still.
    public var remaining: Duration? {
        guard rate > 0, estimatedRows > rows else { return nil }
        let seconds = Double(estimatedRows - rows) / rate
        // Behind a sink that is away the rate goes to nothing: a year says no more than that, and a Duration ends somewhere.
        return seconds < 31_557_600 ? .seconds(seconds) : nil
    }

    static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }
}
