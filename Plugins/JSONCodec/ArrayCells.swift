import PluginABI

extension RecordWriter {
    /// An array's text, `[2:3]={1,NULL,"a b"}`, as a JSON array (of arrays), its elements written as the column's element encoding says.
    mutating func array(
        _ text: UnsafePointer<UInt8>, _ count: Int, _ plan: UnsafePointer<ColumnPlan>, _ memory: UnsafeMutablePointer<Scratch>,
        _ quoted: UnsafeMutablePointer<Scratch>
    ) throws(CellFailure) {
        var index = 0
        // Bounds that do not begin at 1 stand in front, and JSON has no place for them.
        if index < count, text[index] == UInt8(ascii: "[") {
            while index < count, text[index] != UInt8(ascii: "=") { index &+= 1 }
            index &+= 1
        }
        var depth = 0
        /// A value may come next; otherwise a delimiter or the end of an array.
        var open = true
        /// A value has to come: a delimiter stands before.
        var due = false
        guard index < count, text[index] == UInt8(ascii: "{") else { throw .malformed }
        while index < count {
            try room(64)
            let character = text[index]
            switch character {
            case UInt8(ascii: "{"):
                guard open, depth < 6 else { throw .malformed }
                depth &+= 1
                due = false
                byte(UInt8(ascii: "["))
                index &+= 1
            case UInt8(ascii: "}"):
                guard depth > 0, !due else { throw .malformed }
                depth &-= 1
                byte(UInt8(ascii: "]"))
                open = false
                index &+= 1
                if depth == 0, index < count { throw .malformed }
            case plan.pointee.delimiter:
                guard depth > 0, !open else { throw .malformed }
                byte(UInt8(ascii: ","))
                open = true
                due = true
                index &+= 1
            default:
                guard depth > 0, open else { throw .malformed }
                index = try element(text, index, count, plan, memory, quoted)
                open = false
                due = false
            }
        }
        guard depth == 0 else { throw .malformed }
    }

    private mutating func element(
        _ text: UnsafePointer<UInt8>, _ from: Int, _ count: Int, _ plan: UnsafePointer<ColumnPlan>, _ memory: UnsafeMutablePointer<Scratch>,
        _ quoted: UnsafeMutablePointer<Scratch>
    ) throws(CellFailure) -> Int {
        var index = from
        if text[index] == UInt8(ascii: "\"") {
            let bytes = try quoted.pointee.reserve(count).assumingMemoryBound(to: UInt8.self)
            var length = 0
            index &+= 1
            while index < count, text[index] != UInt8(ascii: "\"") {
                if text[index] == UInt8(ascii: "\\") { index &+= 1 }
                guard index < count else { throw .malformed }
                bytes[length] = text[index]
                length &+= 1
                index &+= 1
            }
            guard index < count else { throw .malformed }
            try value(bytes, length, plan.pointee.element, plan, memory, quoted)
            return index &+ 1
        }
        while index < count, text[index] != plan.pointee.delimiter, text[index] != UInt8(ascii: "}") {
            guard text[index] != UInt8(ascii: "{"), text[index] != UInt8(ascii: "\"") else { throw .malformed }
            index &+= 1
        }
        let start = text + from
        let length = index &- from
        if length == 4, start[0] | 0x20 == UInt8(ascii: "n"), start[1] | 0x20 == UInt8(ascii: "u"), start[2] | 0x20 == UInt8(ascii: "l"),
            start[3] | 0x20 == UInt8(ascii: "l")
        {
            null()
        } else {
            guard length > 0 else { throw .malformed }
            try value(start, length, plan.pointee.element, plan, memory, quoted)
        }
        return index
    }

    /// `1 2 3` as `[1,2,3]`.
    mutating func vector(_ text: UnsafePointer<UInt8>, _ count: Int) throws(CellFailure) {
        byte(UInt8(ascii: "["))
        var index = 0
        while index < count {
            try room(32)
            if index > 0 { byte(UInt8(ascii: ",")) }
            let start = index
            while index < count, text[index] != UInt8(ascii: " ") { index &+= 1 }
            try integerText(text + start, index &- start)
            if index < count {
                index &+= 1
                if index == count { throw .malformed }
            }
        }
        byte(UInt8(ascii: "]"))
    }
}
