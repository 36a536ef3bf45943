import PluginABI

extension ColumnMask {
    enum Outcome {
        case done
        /// The row must fail: a value that the mask was not made for.
        case refused
        case noMemory
    }

    /// Masks one cell in place. NULL, unchanged and absent values stay what they are.
    @inline(__always)
    func apply(_ cell: UnsafeMutablePointer<cdcp_cell>, _ arena: UnsafeMutablePointer<cdcp_arena>) -> Outcome {
        guard cell.pointee.kind == UInt8(CDCP_CELL_VALUE) else { return cell.pointee.kind <= UInt8(CDCP_CELL_UNCHANGED) ? .done : .refused }
        switch how {
        case .fixed:
            set(cell, bytes, count)
            return .done
        case .null:
            cell.pointee = cdcp_cell(
                ptr: nil, len: 0, kind: UInt8(CDCP_CELL_NULL), format: UInt8(CDCP_FMT_TEXT), flags: UInt16(CDCP_CELLF_REWRITTEN | CDCP_CELLF_MASKED))
            return .done
        default:
            guard cell.pointee.format == UInt8(CDCP_FMT_TEXT), cell.pointee.len == 0 || cell.pointee.ptr != nil else { return .refused }
            return rewrite(cell, arena)
        }
    }

    @inline(__always)
    private func set(_ cell: UnsafeMutablePointer<cdcp_cell>, _ start: UnsafePointer<UInt8>, _ size: Int) {
        cell.pointee = cdcp_cell(
            ptr: start, len: UInt32(truncatingIfNeeded: size), kind: UInt8(CDCP_CELL_VALUE), format: UInt8(CDCP_FMT_TEXT),
            flags: UInt16(CDCP_CELLF_REWRITTEN | CDCP_CELLF_MASKED))
    }

    @inline(__always)
    private func rewrite(_ cell: UnsafeMutablePointer<cdcp_cell>, _ arena: UnsafeMutablePointer<cdcp_arena>) -> Outcome {
        // An empty value may come without a pointer: any valid one serves.
        let text = cell.pointee.ptr ?? bytes
        let size = Int(cell.pointee.len)
        if how == .hash {
            guard let hash else { return .refused }
            guard let out = cdcp_arena_alloc(arena, 64, 1) else { return .noMemory }
            let digits = out.assumingMemoryBound(to: UInt8.self)
            hash.pointee.hex(text, size, digits)
            set(cell, digits, 64)
            return .done
        }
        if how == .truncate {
            let cut = Characters.offset(text, size, n)
            guard cut >= 0 else { return .refused }
            set(cell, text, cut)
            return .done
        }
        let isASCII = Characters.isASCII(text, size)
        let characters = isASCII ? size : Characters.count(text, size)
        guard characters >= 0 else { return .refused }
        if characters <= n {
            set(cell, text, size)
            return .done
        }
        let filled = characters &- n
        let isFirst = how == .keepFirst
        let edge = isFirst ? n : filled
        let cut = isASCII ? edge : Characters.offset(text, size, edge)
        let kept = isFirst ? cut : size &- cut
        let (fillSize, overflow) = filled.multipliedReportingOverflow(by: count)
        // A cell's length has 32 bits: a fill of several bytes over a giant value does not fit.
        guard cut >= 0, !overflow, let total = UInt32(exactly: kept &+ fillSize) else { return .refused }
        // Seven bytes more: the fill is written eight at a time.
        guard let memory = cdcp_arena_alloc(arena, UInt64(total) &+ 7, 1) else { return .noMemory }
        let out = memory.assumingMemoryBound(to: UInt8.self)
        put(isFirst ? out + kept : out, fillSize)
        copy(isFirst ? text : text + cut, isFirst ? out : out + fillSize, kept)
        set(cell, out, Int(total))
        return .done
    }

    /// What stays is a few bytes as a rule: not worth a call.
    @inline(__always)
    private func copy(_ from: UnsafePointer<UInt8>, _ to: UnsafeMutablePointer<UInt8>, _ size: Int) {
        if size > 8 {
            to.update(from: from, count: size)
        } else if size >= 4 {
            let first = UnsafeRawPointer(from).loadUnaligned(as: UInt32.self)
            let last = UnsafeRawPointer(from + (size &- 4)).loadUnaligned(as: UInt32.self)
            UnsafeMutableRawPointer(to).storeBytes(of: first, as: UInt32.self)
            UnsafeMutableRawPointer(to + (size &- 4)).storeBytes(of: last, as: UInt32.self)
        } else {
            var at = 0
            while at < size {
                to[at] = from[at]
                at &+= 1
            }
        }
    }

    /// `size` bytes of the fill over and over. May write seven bytes behind it.
    @inline(__always)
    private func put(_ out: UnsafeMutablePointer<UInt8>, _ size: Int) {
        var at = 0
        if count == 1 {
            let eight = UInt64(bytes[0]) &* 0x0101_0101_0101_0101
            while at < size {
                UnsafeMutableRawPointer(out + at).storeBytes(of: eight, as: UInt64.self)
                at &+= 8
            }
            return
        }
        while at < size {
            (out + at).update(from: bytes, count: count)
            at &+= count
        }
    }
}
