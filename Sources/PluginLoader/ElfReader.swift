/// The parts of a 64-bit little-endian ELF file that decide whether it may be loaded. Every offset is checked against the file's end.
struct ElfReader {
    /// Something lies beyond the end of the file, or a number makes no sense.
    enum Failure: Error, Equatable {
        case notElf
        case beyondEnd(what: String, end: UInt64)
        case malformed(String)
    }

    /// One symbol of the dynamic symbol table.
    struct Symbol {
        let name: String
        let binding: UInt8
        let visibility: UInt8
        let section: UInt16
    }

    /// One entry of the program header table.
    struct Segment {
        let type: UInt32
        let flags: UInt32
        let offset: UInt64
        let size: UInt64
    }

    /// One entry of the section header table.
    struct Section {
        let type: UInt32
        let offset: UInt64
        let size: UInt64
        let link: UInt32
        let entrySize: UInt64
    }

    private let bytes: [UInt8]
    let type: UInt16
    let machine: UInt16
    let is64BitLittleEndian: Bool
    private(set) var segments: [Segment] = []
    private(set) var sections: [Section] = []

    init(_ bytes: [UInt8]) throws(Failure) {
        self.bytes = bytes
        let magic: [UInt8] = [0x7f, 0x45, 0x4c, 0x46]
        guard bytes.prefix(4) == magic.prefix(bytes.count) else { throw .notElf }
        guard bytes.count >= 64 else { throw .beyondEnd(what: "the header", end: 64) }
        is64BitLittleEndian = bytes[4] == 2 && bytes[5] == 1
        type = UInt16(bytes[16]) | UInt16(bytes[17]) << 8
        machine = UInt16(bytes[18]) | UInt16(bytes[19]) << 8
        if !is64BitLittleEndian { return }
        let segmentTable = try table("the program headers", offset: number(at: 32, 8), entry: number(at: 54, 2), size: 56, count: number(at: 56, 2))
        let sectionTable = try table("the section headers", offset: number(at: 40, 8), entry: number(at: 58, 2), size: 64, count: number(at: 60, 2))
        for at in segmentTable {
            let segment = Segment(
                type: UInt32(try number(at: at, 4)), flags: UInt32(try number(at: at &+ 4, 4)), offset: try number(at: at &+ 8, 8),
                size: try number(at: at &+ 32, 8))
            try check("a segment", segment.offset, segment.size)
            segments.append(segment)
        }
        for at in sectionTable {
            let section = Section(
                type: UInt32(try number(at: at &+ 4, 4)), offset: try number(at: at &+ 24, 8), size: try number(at: at &+ 32, 8),
                link: UInt32(try number(at: at &+ 40, 4)), entrySize: try number(at: at &+ 56, 8))
            // .bss takes no room in the file.
            if section.type != 8 && section.type != 0 { try check("a section", section.offset, section.size) }
            sections.append(section)
        }
    }

    /// Tags and values of the dynamic section.
    func dynamicEntries() throws(Failure) -> [(tag: UInt64, value: UInt64)] {
        guard let dynamic = segments.first(where: { $0.type == 2 }) else { throw .malformed("it has no dynamic section") }
        var entries: [(tag: UInt64, value: UInt64)] = []
        for index in 0..<(dynamic.size / 16) {
            let at = dynamic.offset &+ index &* 16
            let tag = try number(at: at, 8)
            if tag == 0 { return entries }
            entries.append((tag, try number(at: at &+ 8, 8)))
        }
        throw .malformed("its dynamic section has no end")
    }

    /// The dynamic symbol table, without its empty first entry.
    func dynamicSymbols() throws(Failure) -> [Symbol] {
        guard let table = sections.first(where: { $0.type == 11 }) else { throw .malformed("it has no dynamic symbol table") }
        guard table.entrySize == 24, let link = Int(exactly: table.link), sections.indices.contains(link) else {
            throw .malformed("its dynamic symbol table makes no sense")
        }
        let strings = sections[link]
        var symbols: [Symbol] = []
        for index in stride(from: UInt64(1), to: max(1, table.size / 24), by: 1) {
            let at = table.offset &+ index &* 24
            let info = try number(at: at &+ 4, 1)
            symbols.append(
                Symbol(
                    name: try string(in: strings, at: number(at: at, 4)), binding: UInt8(truncatingIfNeeded: info >> 4),
                    visibility: UInt8(truncatingIfNeeded: try number(at: at &+ 5, 1) & 3), section: UInt16(try number(at: at &+ 6, 2))))
        }
        return symbols
    }

    private func string(in table: Section, at start: UInt64) throws(Failure) -> String {
        guard start < table.size else { throw .malformed("a symbol's name lies outside of the string table") }
        let from = Int(table.offset &+ start)
        let to = Int(table.offset &+ table.size)
        guard let end = bytes[from..<to].firstIndex(of: 0) else { throw .malformed("a symbol's name has no end") }
        return String(decoding: bytes[from..<end], as: UTF8.self)
    }

    /// Offsets of the entries of a table.
    private func table(_ what: String, offset: UInt64, entry: UInt64, size: UInt64, count: UInt64) throws(Failure) -> [UInt64] {
        guard offset != 0, count != 0 else { throw .malformed("\(what) are missing") }
        guard entry == size else { throw .malformed("\(what) have entries of \(entry) bytes") }
        try check(what, offset, count &* size)
        return (0..<count).map { offset &+ $0 &* size }
    }

    private func check(_ what: String, _ offset: UInt64, _ size: UInt64) throws(Failure) {
        let (end, overflow) = offset.addingReportingOverflow(size)
        if overflow { throw .malformed("\(what) lies at an impossible place") }
        if end > UInt64(bytes.count) { throw .beyondEnd(what: what, end: end) }
    }

    private func number(at offset: UInt64, _ size: UInt64) throws(Failure) -> UInt64 {
        try check("a number", offset, size)
        var value: UInt64 = 0
        for index in 0..<size { value |= UInt64(bytes[Int(offset &+ index)]) << (index &* 8) }
        return value
    }
}
