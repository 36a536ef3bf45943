import PluginABI

/// The hash of some columns' values; the same values give the same, whatever the row's op and whichever of its two tuples they stand in.
///
/// - Parameters:
///   - cells: the tuple that the record speaks of.
///   - other: the row's other tuple, where a value stands that the server left out of `cells`.
/// - Returns: nil where a value is in neither.
@inline(__always)
func hash(of plan: UnsafePointer<Plan>, in cells: UnsafePointer<cdcp_cell>, or other: UnsafePointer<cdcp_cell>?) -> UInt32? {
    var result: UInt32 = 0
    for index in 0..<Int(plan.pointee.columnCount) {
        let place = Int(plan.pointee.columns[index])
        var cell = cells + place
        if cell.pointee.kind == UInt8(CDCP_CELL_UNCHANGED), let other { cell = other + place }
        let value: UInt32
        switch Int32(cell.pointee.kind) {
        case CDCP_CELL_VALUE: value = murmur2(cell.pointee.ptr, count: Int(cell.pointee.len))
        case CDCP_CELL_NULL: value = 0
        default: return nil
        }
        // One column hashes as its text does; of several the order counts.
        result = index == 0 ? value : (result &* 31) &+ value
    }
    return result
}
