internal import Postgres

/// Holds one row back, so that each can be told whether it is a last one.
struct Delivery: ~Copyable {
    private var held: CopyLine?
    private var heldTable = 0
    private var heldNumber: UInt64 = 0
    private(set) var rows: UInt64 = 0

    init() { held = nil }

    /// Takes the next row and hands over the one before; false when the sink wants no more.
    mutating func push<S: SnapshotSink>(_ line: consuming CopyLine, table: Int, number: UInt64, into sink: S) -> Bool {
        let goesOn = handOver(isLastOfTable: table != heldTable, isLast: false, to: sink)
        held = consume line
        heldTable = table
        heldNumber = number
        return goesOn
    }

    /// Hands over the last row; false when the sink wants to stop all the same.
    mutating func finish<S: SnapshotSink>(into sink: S) -> Bool { handOver(isLastOfTable: true, isLast: true, to: sink) }

    private mutating func handOver<S: SnapshotSink>(isLastOfTable: Bool, isLast: Bool, to sink: S) -> Bool {
        guard let line = held.take() else { return true }
        rows &+= 1
        let place = RowPlace(
            isFirst: rows == 1, isLast: isLast, isFirstOfTable: heldNumber == 1, isLastOfTable: isLastOfTable, number: heldNumber)
        switch sink.row(line, table: heldTable, at: place) {
        case .proceed: return true
        case .pause: return isLast || sink.waitUntilWritable() != .stop
        case .stop: return false
        }
    }
}
