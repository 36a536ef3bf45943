import Chain
import PluginABI
import Postgres
import Snapshot
import Synchronization

/// Carries the snapshot's rows into the receive queue. Source thread.
final class SnapshotFeed: SnapshotSink {
    private let queue: ReceiveQueue
    private let oids: [UInt32]
    private let isStopped: @Sendable () -> Bool
    private let finishedTables: @Sendable () -> Void
    private let renewedTable: @Sendable (_ index: Int) -> Void

    init(
        queue: ReceiveQueue, oids: [UInt32], isStopped: @escaping @Sendable () -> Bool, renewedTable: @escaping @Sendable (_ index: Int) -> Void,
        finishedTables: @escaping @Sendable () -> Void
    ) {
        self.renewedTable = renewedTable
        self.queue = queue
        self.oids = oids
        self.isStopped = isStopped
        self.finishedTables = finishedTables
    }

    func row(_ line: borrowing CopyLine, table index: Int, at place: RowPlace) -> Flow {
        var flags: Int32 = 0
        if place.isFirst { flags |= CDCP_ROWF_SNAPSHOT_FIRST }
        if place.isLast { flags |= CDCP_ROWF_SNAPSHOT_LAST }
        if place.isFirstOfTable { flags |= CDCP_ROWF_SNAPSHOT_FIRST_IN_TABLE }
        if place.isLastOfTable { flags |= CDCP_ROWF_SNAPSHOT_LAST_IN_TABLE }
        let hasRoom = line.withUnsafeMutableBytes { queue.append(.copyRow, UnsafeRawBufferPointer($0), lsn: 0, aux: UInt64(oids[index]), flags: UInt16(flags)) }
        return hasRoom ? .proceed : .pause
    }

    func waitUntilWritable() -> Flow { queue.waitForRoom() && !isStopped() ? .proceed : .stop }

    func renewed(table index: Int) { renewedTable(index) }

    func finished(table index: Int, rows: UInt64) {
        queue.publish()
        finishedTables()
    }
}
