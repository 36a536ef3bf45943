public import PluginABI

// Access to the hot structs without a copy; all of it inlines to a load.

extension UnsafePointer<cdcp_batch> {
    /// The i-th row. Only rows of the stage's runs may be touched.
    @inlinable @inline(__always)
    public func row(_ index: UInt32) -> UnsafeMutablePointer<cdcp_row> {
        (pointee.rows + Int(index) &* Int(pointee.row_stride)).assumingMemoryBound(to: cdcp_row.self)
    }

    /// The i-th transaction of the batch.
    @inlinable @inline(__always)
    public func transaction(_ index: UInt32) -> UnsafePointer<cdcp_txn> {
        (pointee.txns + Int(index) &* Int(pointee.txn_stride)).assumingMemoryBound(to: cdcp_txn.self)
    }

    /// The runs of the stage that is being called.
    @inlinable public var runs: UnsafeBufferPointer<cdcp_run> { UnsafeBufferPointer(start: pointee.runs, count: Int(pointee.run_count)) }

    /// A relation as the stage that is being called sees it; nil for CDCP_NO_RELATION.
    @inlinable public func relation(_ index: UInt32) -> UnsafePointer<cdcp_relation>? {
        index < pointee.relation_count ? pointee.relations[Int(index)] : nil
    }
}

extension UnsafePointer<cdcp_relation> {
    /// The i-th column.
    @inlinable public func column(_ index: Int) -> UnsafePointer<cdcp_column> {
        (pointee.columns + index &* Int(pointee.column_stride)).assumingMemoryBound(to: cdcp_column.self)
    }

    /// Of each of its rows.
    @inlinable public var columnCount: Int { Int(pointee.column_count) }

    /// A copy of all columns, to derive another shape from.
    public var columns: [cdcp_column] { (0..<columnCount).map { column($0).pointee } }

    /// `schema.table`, for messages.
    public var qualifiedName: String { String(pointee.nspname) + "." + String(pointee.relname) }
}

extension UnsafeMutablePointer<cdcp_batch> {
    /// The same batch, read-only.
    @inlinable public var view: UnsafePointer<cdcp_batch> { UnsafePointer(self) }

    /// Memory that lives as long as the batch; nil: none left, return CDCP_E_FATAL.
    @inlinable public func allocate(_ size: Int, align: Int = 1) -> UnsafeMutableRawPointer? {
        cdcp_arena_alloc(pointee.arena, UInt64(size), UInt32(align))
    }
}
