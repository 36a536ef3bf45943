import PluginABI

extension Cursor {
    /// Text that a NUL ends inside the message; it points into the message.
    mutating func text() throws(Refusal) -> cdcp_str {
        var place = at
        while place < end, place.pointee != 0 { place += 1 }
        guard place < end, let length = UInt32(exactly: place - at) else { throw .unendedText }
        let bytes = UnsafeBufferPointer(start: at, count: Int(length))
        guard bytes.allSatisfy({ $0 < 0x80 }) || String(validating: bytes, as: UTF8.self) != nil else { throw .notUTF8 }
        let text = cdcp_str(ptr: UnsafeRawPointer(at).assumingMemoryBound(to: CChar.self), len: length, reserved: 0)
        moved(to: place + 1)
        return text
    }

    /// The name of a schema: the protocol writes `pg_catalog` as nothing.
    mutating func schemaName() throws(Refusal) -> cdcp_str {
        let name = try text()
        return name.len == 0 ? systemCatalog : name
    }
}

private var systemCatalog: cdcp_str {
    let name: StaticString = "pg_catalog"
    return cdcp_str(ptr: UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self), len: UInt32(name.utf8CodeUnitCount), reserved: 0)
}
