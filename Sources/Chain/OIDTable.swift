/// From relation OID to a small number; open addressing in plain memory, so that a look-up per row costs a few loads.
struct OIDTable {
    private var keys: UnsafeMutablePointer<UInt32>
    private var values: UnsafeMutablePointer<Int32>
    private var capacity: Int
    private(set) var count = 0

    init() {
        capacity = 64
        keys = .allocate(capacity: capacity)
        values = .allocate(capacity: capacity)
        keys.initialize(repeating: 0, count: capacity)
        values.initialize(repeating: -1, count: capacity)
    }

    func free() {
        keys.deallocate()
        values.deallocate()
    }

    /// -1: not there.
    @inline(__always)
    func find(_ oid: UInt32) -> Int32 {
        var slot = place(of: oid)
        while values[slot] >= 0 {
            if keys[slot] == oid { return values[slot] }
            slot = (slot + 1) & (capacity - 1)
        }
        return -1
    }

    mutating func set(_ oid: UInt32, _ value: Int32) {
        if count * 2 >= capacity { grow() }
        var slot = place(of: oid)
        while values[slot] >= 0, keys[slot] != oid { slot = (slot + 1) & (capacity - 1) }
        if values[slot] < 0 { count += 1 }
        keys[slot] = oid
        values[slot] = value
    }

    /// Knuth's multiplier; the product's upper bits, since oids often share their lower ones.
    @inline(__always)
    private func place(of oid: UInt32) -> Int { Int((oid &* 2_654_435_769) >> 7) & (capacity - 1) }

    private mutating func grow() {
        let (oldKeys, oldValues, oldCapacity) = (keys, values, capacity)
        capacity *= 2
        keys = .allocate(capacity: capacity)
        values = .allocate(capacity: capacity)
        keys.initialize(repeating: 0, count: capacity)
        values.initialize(repeating: -1, count: capacity)
        count = 0
        for slot in 0..<oldCapacity where oldValues[slot] >= 0 { set(oldKeys[slot], oldValues[slot]) }
        oldKeys.deallocate()
        oldValues.deallocate()
    }
}
