/// Tables of plugins that were built with an earlier or a later minor of the contract than this host.
///
/// A table is copied into one of the host's own size: what the plugin's is longer by is ignored, what it is shorter by stays NULL and is filled with
/// stubs by the caller. So no field beyond a plugin's own size is ever read, and no slot is ever called that is not there.
enum TableGrowth {
    /// No table of the contract will ever be larger: more is garbage in `struct_size`.
    static let sizeMax: UInt32 = 64 << 10

    /// Why a table is refused.
    struct Misfit: Error, Equatable {
        let what: String
    }

    /// The size that a table says it has, which every cold struct begins with.
    /// - Parameter least: what a stage cannot do without.
    static func declaredSize(_ table: UnsafeRawPointer, least: Int) throws(Misfit) -> Int {
        let size = table.load(as: UInt32.self)
        guard size <= sizeMax else { throw Misfit(what: "is \(size) bytes: no table is that large") }
        guard Int(size) >= least else { throw Misfit(what: "is \(size) bytes, at least \(least) are needed") }
        guard size % 8 == 0 else { throw Misfit(what: "is \(size) bytes: not a multiple of 8") }
        return Int(size)
    }

    /// A copy in the host's size.
    /// - Parameter zero: a zeroed table.
    static func copy<Table: BitwiseCopyable>(_ table: UnsafeRawPointer, declared: Int, into zero: Table) -> Table {
        var grown = zero
        withUnsafeMutableBytes(of: &grown) { target in
            target.copyMemory(from: UnsafeRawBufferPointer(start: table, count: min(declared, target.count)))
        }
        return grown
    }
}
