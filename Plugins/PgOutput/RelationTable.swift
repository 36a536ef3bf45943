import PluginABI

/// What the decoder must know of a table to read its rows.
struct KnownRelation {
    /// pg_class.oid; 0: none.
    var oid: UInt32
    var columnCount: UInt32
    /// A byte a column: CDCP_COL_IDENTITY or 0. Owned by the RelationTable; nil where there are no columns.
    var identity: UnsafeMutablePointer<UInt8>?

    static var none: KnownRelation { KnownRelation(oid: 0, columnCount: 0, identity: nil) }
}

/// Tables by their number: open addressing in plain memory, and the last one found, which most rows want again.
struct RelationTable {
    /// Of one table; PostgreSQL's MaxTupleAttributeNumber.
    static let maximumColumns = 1_664
    static let maximumCount = 1 << 20

    private var slots: UnsafeMutablePointer<KnownRelation>
    private var shift: UInt32
    private var count = 0
    private var last = KnownRelation.none

    init() {
        shift = 32 - 6
        slots = Self.empty(64)
    }

    private static func empty(_ capacity: Int) -> UnsafeMutablePointer<KnownRelation> {
        let slots = UnsafeMutablePointer<KnownRelation>.allocate(capacity: capacity)
        slots.initialize(repeating: .none, count: capacity)
        return slots
    }

    private var capacity: Int { 1 << (32 &- Int(shift)) }

    /// The slot that has the number, or the free one where it belongs. There is always a free one.
    @inline(__always)
    private func slot(_ oid: UInt32) -> UnsafeMutablePointer<KnownRelation> {
        var index = Int((oid &* 2_654_435_769) >> shift)
        while slots[index].oid != oid, slots[index].oid != 0 { index = (index &+ 1) & (capacity &- 1) }
        return slots + index
    }

    /// The table with that number, as it was last announced.
    @inline(__always)
    mutating func find(_ oid: UInt32) throws(Refusal) -> KnownRelation {
        if last.oid == oid, oid != 0 { return last }
        let found = slot(oid).pointee
        guard found.oid != 0 else { throw .unknownRelation }
        last = found
        return found
    }

    /// Puts a table in, or in the place of what was known of it.
    ///
    /// - Parameter columns: CDCP_COL_IDENTITY in the flags says which are part of the replica identity.
    mutating func insert(_ oid: UInt32, _ columns: UnsafeBufferPointer<cdcp_column>) throws(Refusal) {
        var place = slot(oid)
        if place.pointee.oid == 0 {
            guard count < Self.maximumCount else { throw .tooManyRelations }
            if count &* 2 >= capacity {
                grow()
                place = slot(oid)
            }
            count &+= 1
        } else {
            place.pointee.identity?.deallocate()
        }
        place.pointee = KnownRelation(oid: oid, columnCount: UInt32(columns.count), identity: nil)
        if !columns.isEmpty {
            let identity = UnsafeMutablePointer<UInt8>.allocate(capacity: columns.count)
            for (index, column) in columns.enumerated() { (identity + index).initialize(to: UInt8(truncatingIfNeeded: column.flags) & 1) }
            place.pointee.identity = identity
        }
        last = .none
    }

    private mutating func grow() {
        let old = UnsafeMutableBufferPointer(start: slots, count: capacity)
        shift &-= 1
        slots = Self.empty(capacity)
        for relation in old where relation.oid != 0 { slot(relation.oid).pointee = relation }
        old.deallocate()
    }

    /// Forgets all tables.
    mutating func removeAll() {
        for index in 0..<capacity where slots[index].oid != 0 {
            slots[index].identity?.deallocate()
            slots[index] = .none
        }
        count = 0
        last = .none
    }

    /// Gives the memory back; the table is of no use afterwards.
    mutating func deallocate() {
        removeAll()
        slots.deallocate()
    }
}
