import PluginABI
import StageHarness
import Testing

// The harness puts each message right before memory that cannot be read and checks every cell: reading or pointing outside ends a test.

@Suite struct HostileTests {
    /// Each message with the messages that it needs before it: what was announced, and an open transaction.
    private func eachMessage(_ body: (_ fresh: () throws -> Decoder, Recording.Message) throws -> Void) throws {
        for name in Recording.names {
            var needed: [Recording.Message] = []
            var begin: Recording.Message?
            for message in try Recording(name).messages.prefix(80) {
                let before = needed + (begin.map { [$0] } ?? [])
                try body(
                    {
                        let decoder = try Decoder()
                        for message in before { #expect(try decoder.decode(message).status == CDCP_OK) }
                        return decoder
                    }, message)
                switch message.type {
                case "B": begin = message
                case "C": begin = nil
                case "R", "Y": needed.append(message)
                default: break
                }
            }
        }
    }

    private func isRow(_ message: Recording.Message) -> Bool { ["I", "U", "D"].contains(message.type) }

    /// All places of short messages; of long ones the ends and some between, where only values lie.
    private func places(_ message: Recording.Message) -> [Int] {
        let count = message.bytes.count
        return (0..<count).filter { $0 < 200 || $0 >= count - 40 || $0 % 97 == 0 }
    }

    @Test func everyTruncationIsRefused() throws {
        var refused = 0
        try eachMessage { fresh, message in
            let decoder = try fresh()
            for place in places(message) {
                let decoded = try decoder.decode(Array(message.bytes[..<place]))
                #expect(decoded.status == CDCP_E_DATA && !decoded.error.isEmpty, "\(message.type) cut at \(place)")
                refused += 1
            }
            #expect(try decoder.decode(message.bytes + [0]).status == CDCP_E_DATA, "\(message.type) with a byte too many")
            #expect(try decoder.decode(message).status == CDCP_OK, "\(message.type) whole, after all that")
        }
        #expect(refused > 10_000)
    }

    @Test func everyCorruptByteGivesAnAnswer() throws {
        var taken = 0
        var refused = 0
        try eachMessage { fresh, message in
            var decoder = try fresh()
            for place in places(message) {
                let byte = message.bytes[place]
                for value in [0, 0xFF, byte ^ 1, byte ^ 0x80] where value != byte {
                    var bytes = message.bytes
                    bytes[place] = value
                    let decoded = try decoder.decode(bytes)
                    if decoded.status == CDCP_OK {
                        taken += 1
                        if !isRow(message) || place == 0 { decoder = try fresh() }  // it may have changed what the decoder knows
                    } else {
                        refused += 1
                        #expect(decoded.status == CDCP_E_DATA && !decoded.error.isEmpty, "\(message.type), byte \(place) = \(value)")
                    }
                }
            }
        }
        #expect(taken > 1_000 && refused > 10_000)
    }

    @Test func randomBytesGiveAnAnswer() throws {
        let decoder = try Decoder()
        for message in [Wire.begin(), Wire.relation()] { _ = try decoder.decode(message) }
        var state: UInt64 = 0x2545_F491_4F6C_DD1D
        func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
        let types = Array("BCORYIUDTMSEcAbPKrp".utf8)
        for _ in 0..<20_000 {
            var bytes = (0..<Int(next() % 60)).map { _ in UInt8(truncatingIfNeeded: next() & next()) }
            if !bytes.isEmpty { bytes[0] = types[Int(next() % UInt64(types.count))] }
            if bytes.count > 5, next() % 2 == 0 { bytes.replaceSubrange(1..<5, with: Wire.u32(9)) }
            let status = try decoder.decode(bytes).status
            #expect(status == CDCP_OK || status == CDCP_E_DATA)
        }
    }

    @Test func lengthsAndCountsAreNotBelieved() throws {
        let decoder = try Decoder()
        for message in [Wire.begin(), Wire.relation()] { #expect(try decoder.decode(message).status == CDCP_OK) }
        let row = Wire.message("I", Wire.u32(9), [0x4E], Wire.u16(2))
        for length in [2, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF] {
            let decoded = try decoder.decode(row + [0x6E, 0x74] + Wire.u32(length) + [0x31])
            #expect(decoded.status == CDCP_E_DATA && decoded.error.contains("length"))
        }
        for count in [0, 1, 3, 0xFFFF] {
            #expect(try decoder.decode(Wire.message("I", Wire.u32(9), [0x4E], Wire.u16(count), [0x6E, 0x6E])).error.contains("number of columns"))
        }
        for count in [2, 0x4000_0001, 0xFFFF_FFFF] {
            #expect(try decoder.decode(Wire.message("T", Wire.u32(count), [0], Wire.u32(9))).status == CDCP_E_DATA)
        }
        #expect(try decoder.decode(Wire.relation(columns: (0..<1665).map { "c\($0)" })).error.contains("columns"))
        #expect(try decoder.decode(Wire.message("M", [1], Wire.u64(5), Wire.text("p"), Wire.u32(0xFFFF_FFFF))).status == CDCP_E_DATA)
    }

    @Test func orderOfTheProtocol() throws {
        func refuses(_ before: [[UInt8]], _ message: [UInt8], _ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
            let decoder = try Decoder()
            for message in before { #expect(try decoder.decode(message).status == CDCP_OK, sourceLocation: sourceLocation) }
            let decoded = try decoder.decode(message)
            #expect(decoded.status == CDCP_E_DATA && decoded.error.contains(text), "\(decoded.error)", sourceLocation: sourceLocation)
        }
        let relation = Wire.relation()
        try refuses([], Wire.commit(), "between Begin and Commit")
        try refuses([relation], Wire.insert(), "between Begin and Commit")
        try refuses([Wire.begin(), Wire.commit()], Wire.commit(), "between Begin and Commit")
        try refuses([Wire.begin()], Wire.commit(101), "another transaction")
        try refuses([Wire.begin()], Wire.commit(end: 99), "ends before")
        try refuses([Wire.begin()], Wire.commit(flags: 1), "flags")
        try refuses([Wire.begin()], Wire.insert(), "announced")
        try refuses([Wire.begin(), relation], Wire.insert(0), "announced")
        try refuses([Wire.begin()], Wire.message("T", Wire.u32(1), [0], Wire.u32(9)), "announced")
        try refuses([], Wire.message("O", Wire.u64(1), Wire.text("up")), "between Begin and Commit")
        try refuses([], Wire.message("M", [1], Wire.u64(1), Wire.text("p"), Wire.u32(0)), "between Begin and Commit")
        try refuses([Wire.begin()], Wire.message("M", [0], Wire.u64(1), Wire.text("p"), Wire.u32(0)), "between Begin and Commit")
        try refuses([], Wire.relation(0), "0 is not")
        try refuses([], Wire.relation(identity: "x"), "replica identity")
        try refuses([], Wire.message("R", Wire.u32(9), [0xFF, 0]), "UTF-8")
        try refuses(
            [Wire.begin(), relation], Wire.message("U", Wire.u32(9), [0x4B], Wire.tuple(["1", nil]), [0x4F], Wire.tuple(["1", "2"])), "tuple")
        try refuses([Wire.begin(), relation], Wire.message("D", Wire.u32(9), [0x4E], Wire.tuple(["1", nil])), "tuple")
        try refuses([Wire.begin(), relation], Wire.message("I", Wire.u32(9), [0x4E], Wire.u16(2), [0x6E, 0x78]), "column")
        for type in "SEcA" { try refuses([], Wire.message(type, Wire.u32(1)), "streaming") }
        for type in "bPKrp" { try refuses([], Wire.message(type, Wire.u32(1)), "two-phase") }
        try refuses([], [0x7A], "type 122")
        try refuses([], [], "empty")
    }

    /// A connection that breaks inside a transaction: the server begins again, and announces again.
    @Test func aNewConnectionBeginsAnew() throws {
        let decoder = try Decoder()
        for message in [Wire.begin(), Wire.relation(), Wire.begin(200), Wire.insert(), Wire.commit(200, end: 248)] {
            #expect(try decoder.decode(message).status == CDCP_OK)
        }
        _ = try decoder.stage.startOptions()
        for message in [Wire.begin(300)] { #expect(try decoder.decode(message).status == CDCP_OK) }
        #expect(try decoder.decode(Wire.insert()).error.contains("announced"))
    }

    /// Where it is, and never what it was.
    @Test func complaintsNameThePlaceAndNoValue() throws {
        let decoder = try Decoder()
        for message in [Wire.begin(), Wire.relation()] { #expect(try decoder.decode(message).status == CDCP_OK) }
        let error = try decoder.decode(Wire.insert(9, ["secret", "secret"]) + [0]).error
        #expect(error == "pgoutput message Insert at 1/AB, byte 30, table public.t: bytes follow where it should end")
        for cut in 0..<30 { #expect(!(try decoder.decode(Array(Wire.insert(9, ["secret", "secret"])[..<cut])).error.contains("secret"))) }
    }
}
