import LibRDKafka
import PluginABI
import Synchronization

/// Submissions that wait for delivery reports. The lane takes a slot, the poll thread settles it record by record and gives it back;
/// a record's tag (slot and index) travels through librdkafka as its opaque pointer, so nothing is allocated for a record.
struct SubmissionTable: ~Copyable {
    /// One submission. The lane writes id and count before it hands the submission on; the rest is the poll thread's.
    struct Slot {
        var id: UInt64 = 0
        var count: UInt32 = 0
        var settled: UInt32 = 0
        var failed = false
    }

    static let capacity = 4096
    let slots: UnsafeMutablePointer<Slot>
    /// Free slots, as a stack: one lock a submission.
    private let free: Mutex<[UInt32]>
    /// Submissions taken and not yet completed.
    let outstanding = Atomic<Int>(0)

    init() {
        slots = .allocate(capacity: Self.capacity)
        slots.initialize(repeating: Slot(), count: Self.capacity)
        free = Mutex((0..<UInt32(Self.capacity)).reversed())
    }

    deinit { slots.deallocate() }

    /// A slot for a submission; nil: all are taken. [lane]
    func take(_ id: UInt64, count: UInt32) -> UInt32? {
        guard let slot = free.withLock({ $0.popLast() }) else { return nil }
        slots[Int(slot)] = Slot(id: id, count: count)
        outstanding.add(1, ordering: .relaxed)
        return slot
    }

    /// The submission has been completed. [poll thread]
    func give(_ slot: UInt32) {
        free.withLock { $0.append(slot) }
        outstanding.subtract(1, ordering: .releasing)
    }

    /// What librdkafka carries for a record.
    @inline(__always) static func tag(_ slot: UInt32, _ record: UInt32) -> UnsafeMutableRawPointer? {
        UnsafeMutableRawPointer(bitPattern: (UInt(slot) &+ 1) &<< 32 | UInt(record))
    }

    @inline(__always) static func parts(_ tag: UnsafeMutableRawPointer?) -> (slot: UInt32, record: UInt32) {
        let bits = UInt(bitPattern: tag)
        return (UInt32(truncatingIfNeeded: bits &>> 32) &- 1, UInt32(truncatingIfNeeded: bits))
    }
}
