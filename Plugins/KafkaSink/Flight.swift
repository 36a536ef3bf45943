/// What is handed to librdkafka at a time, and when the next may go. Pure: sizes and nanoseconds come in, decisions come out.
///
/// An idempotent producer of librdkafka has one batch of a partition under way, whatever `max.in.flight` says: it counts messages where its
/// sequence window means requests (2.0 to 2.13; rd_kafka_toppar_producer_serve). While a batch is under way and the next is ready in its queue, its broker
/// thread does not sleep but polls until the answer comes: a whole processor for nothing, which the broker then lacks (measured: 7 of 10 s at
/// 5,000 rows/s beside other work, against 0.3). So one flight is under way at a time, of at most one batch a partition; the rest waits here and
/// leaves together when it has landed. Batches so grow with the broker's answer time by themselves, and nothing lingers.
struct Flight {
    /// The most that a flight takes of all partitions together.
    static let bytesMax = 8 << 20
    /// After so long the next may go although this one has not landed: a partition without a leader must not keep the others waiting.
    static let overdue: UInt64 = 1_000_000_000
    /// The same while something of an overdue flight is still under way: the others have waited long enough.
    static let overdueAgain: UInt64 = 100_000_000
    /// What a record needs in a batch beside its bytes, about.
    private static let overhead = 24
    private static let buckets = 64

    /// The most that one partition takes.
    private let batchBytesMax: Int
    private let batchRecordsMax: Int
    private var bytes = 0
    // By partition, as far as there are not more of them than buckets: then some share one, and flights are smaller than they could be.
    private var bucketBytes = [Int](repeating: 0, count: Flight.buckets)
    private var bucketRecords = [Int](repeating: 0, count: Flight.buckets)

    init(batchBytesMax: Int, batchRecordsMax: Int) {
        self.batchBytesMax = batchBytesMax
        self.batchRecordsMax = batchRecordsMax
    }

    /// Nothing is aboard.
    var isEmpty: Bool { bytes == 0 }

    /// Takes a record aboard; false: it is for the next flight. An empty flight takes every record.
    mutating func board(topic: UInt32, partition: Int32, bytes more: Int) -> Bool {
        let size = more &+ Self.overhead
        let bucket = Int(truncatingIfNeeded: UInt(topic) &* 7 &+ UInt(truncatingIfNeeded: partition)) & (Self.buckets - 1)
        if bytes > 0 {
            guard bytes &+ size <= Self.bytesMax, bucketRecords[bucket] < batchRecordsMax else { return false }
            guard bucketBytes[bucket] == 0 || bucketBytes[bucket] &+ size <= batchBytesMax else { return false }
        }
        bytes &+= size
        bucketBytes[bucket] &+= size
        bucketRecords[bucket] &+= 1
        return true
    }

    /// The next flight begins.
    mutating func clear() {
        guard bytes > 0 else { return }
        bytes = 0
        for bucket in 0..<Self.buckets { (bucketBytes[bucket], bucketRecords[bucket]) = (0, 0) }
    }
}
