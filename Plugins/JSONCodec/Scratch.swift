import Glibc
import PluginABI

/// Memory of one instance for what is rare: huge numbers, quoted array elements. Grows and is kept.
struct Scratch {
    private(set) var start: UnsafeMutableRawPointer?
    private var capacity = 0

    /// At least `bytes`, aligned for 64-bit words; what was there before is lost.
    mutating func reserve(_ bytes: Int) throws(CellFailure) -> UnsafeMutableRawPointer {
        if bytes > capacity {
            free()
            guard let memory = malloc(bytes) else { throw .memory }
            start = memory
            capacity = bytes
        }
        guard let start else { throw .memory }
        return start
    }

    mutating func free() {
        Glibc.free(start)
        start = nil
        capacity = 0
    }
}

/// An emitter over memory of our own: keys for headers and pieces of records are made with the same writer as records.
enum PrivateEmitter {
    static func make() -> UnsafeMutablePointer<cdcp_emitter> {
        let emitter = UnsafeMutablePointer<cdcp_emitter>.allocate(capacity: 1)
        emitter.initialize(
            to: cdcp_emitter(
                base: nil, cur: nil, end: nil,
                grow: { emitter, need in
                    guard let emitter else { return CDCP_E_FATAL }
                    let used = emitter.pointee.base == nil ? 0 : emitter.pointee.cur - emitter.pointee.base
                    let capacity = emitter.pointee.base == nil ? 0 : emitter.pointee.end - emitter.pointee.base
                    guard let need = Int(exactly: need), need < 1 << 40 else { return CDCP_E_FATAL }
                    let wanted = max(capacity &* 2, used &+ need, 4096)
                    guard let memory = realloc(emitter.pointee.base, wanted) else { return CDCP_E_FATAL }
                    let base = memory.assumingMemoryBound(to: UInt8.self)
                    emitter.pointee.base = base
                    emitter.pointee.cur = base + used
                    emitter.pointee.end = base + wanted
                    return CDCP_OK
                },
                header: { _, _ in CDCP_E_UNSUPPORTED },
                record: { _, _, _, _, _, _ in CDCP_E_UNSUPPORTED },
                host: nil))
        return emitter
    }

    static func free(_ emitter: UnsafeMutablePointer<cdcp_emitter>) {
        Glibc.free(emitter.pointee.base)
        emitter.deallocate()
    }
}
