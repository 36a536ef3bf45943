import PluginABI

/// What to do with one column of a relation. Its memory belongs to the instance.
struct ColumnMask {
    let column: Int
    let how: Rule.How
    let n: Int
    /// The constant of `fixed`, the character of `fill`.
    let bytes: UnsafePointer<UInt8>
    let count: Int
    let hash: UnsafePointer<SHA256>?
}

/// What to do with the rows of a relation; made at bind, reached through the run.
struct Plan {
    let masks: UnsafeMutablePointer<ColumnMask>
    let count: Int

    static func allocate(_ masks: [ColumnMask]) -> UnsafeMutableRawPointer {
        let array = UnsafeMutablePointer<ColumnMask>.allocate(capacity: masks.count)
        array.initialize(from: masks, count: masks.count)
        let plan = UnsafeMutablePointer<Plan>.allocate(capacity: 1)
        plan.initialize(to: Plan(masks: array, count: masks.count))
        return UnsafeMutableRawPointer(plan)
    }

    static func deallocate(_ pointer: UnsafeMutableRawPointer) {
        let plan = pointer.assumingMemoryBound(to: Plan.self)
        plan.pointee.masks.deallocate()
        plan.deallocate()
    }
}
