/// What to do with the rows of a relation; made at bind, reached through the run.
struct Plan {
    let operations: Operations
    /// Places of the columns that are left, rising; nil: all.
    let kept: UnsafeMutablePointer<Int>?
    let count: Int

    static func allocate(_ operations: Operations, kept: [Int]?) -> UnsafeMutableRawPointer {
        let places = kept.map { kept in
            let places = UnsafeMutablePointer<Int>.allocate(capacity: max(kept.count, 1))
            for (index, place) in kept.enumerated() { places[index] = place }
            return places
        }
        let plan = UnsafeMutablePointer<Plan>.allocate(capacity: 1)
        plan.initialize(to: Plan(operations: operations, kept: places, count: kept?.count ?? 0))
        return UnsafeMutableRawPointer(plan)
    }

    static func deallocate(_ pointer: UnsafeMutableRawPointer) {
        let plan = pointer.assumingMemoryBound(to: Plan.self)
        plan.pointee.kept?.deallocate()
        plan.deallocate()
    }
}
