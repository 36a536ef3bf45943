import PluginABI

/// What stands before a tuple.
enum TupleKind {
    static let new = UInt8(ascii: "N")
    static let key = UInt8(ascii: "K")
    static let old = UInt8(ascii: "O")
}

private enum ColumnKind {
    static let null = UInt8(ascii: "n")
    static let unchanged = UInt8(ascii: "u")
    static let text = UInt8(ascii: "t")
    static let binary = UInt8(ascii: "b")
}

extension Cursor {
    /// The number of columns, which must be the relation's.
    @inline(__always)
    mutating func columnCount(of relation: KnownRelation) throws(Refusal) {
        guard try UInt32(number(UInt16.self)) == relation.columnCount else { throw .columnCount }
    }

    /// Reads the columns of a tuple, whose number was checked, into cells that point into the message.
    ///
    /// - Parameter cells: `count` of them; nil only where there are none.
    mutating func columns(_ count: UInt32, into cells: UnsafeMutablePointer<cdcp_cell>?) throws(Refusal) {
        guard count > 0 else { return }
        guard var cell = cells else { throw .builder(CDCP_E_FATAL) }
        let afterLast = cell + Int(count)
        var place = at
        while cell < afterLast {
            guard place < end else { throw refused(.short, at: place) }
            let kind = place.pointee
            place += 1
            if kind == ColumnKind.text || kind == ColumnKind.binary {
                guard end - place >= 4 else { throw refused(.short, at: place) }
                let length = UInt32(bigEndian: UnsafeRawPointer(place).loadUnaligned(as: UInt32.self))
                guard Int(length) <= end - place - 4, length <= UInt32(Int32.max) else { throw refused(.length, at: place) }
                place += 4
                let format = kind == ColumnKind.text ? CDCP_FMT_TEXT : CDCP_FMT_BINARY
                cell.pointee = cdcp_cell(ptr: place, len: length, kind: UInt8(CDCP_CELL_VALUE), format: UInt8(format), flags: 0)
                place += Int(length)
            } else if kind == ColumnKind.null {
                cell.pointee = cdcp_cell(ptr: nil, len: 0, kind: UInt8(CDCP_CELL_NULL), format: 0, flags: 0)
            } else if kind == ColumnKind.unchanged {
                cell.pointee = cdcp_cell(ptr: nil, len: 0, kind: UInt8(CDCP_CELL_UNCHANGED), format: 0, flags: 0)
            } else {
                throw refused(.columnKind, at: place - 1)
            }
            cell += 1
        }
        moved(to: place)
    }

    /// Keeps the place of the fault for the message about it.
    private mutating func refused(_ refusal: Refusal, at place: UnsafePointer<UInt8>) -> Refusal {
        moved(to: place)
        return refusal
    }
}

/// In a tuple that carries the replica identity only, the server writes every other column as NULL; what it did not send is absent.
@inline(__always)
func keepIdentity(_ relation: KnownRelation, in cells: UnsafeMutablePointer<cdcp_cell>?) {
    guard let cells, let identity = relation.identity else { return }
    // A partition may have a wider identity than the root that it is published as: its further values are not part of the row's identity.
    for index in 0..<Int(relation.columnCount) where identity[index] == 0 {
        cells[index] = cdcp_cell(ptr: nil, len: 0, kind: UInt8(CDCP_CELL_ABSENT), format: 0, flags: 0)
    }
}
