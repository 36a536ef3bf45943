@testable import Chain
import PluginABI
import Testing

@Suite struct OIDTableTests {
    /// Oids in steps, as databases give them, and at the ends.
    @Test(arguments: [1, 3, 64, 4096, 65_536] as [UInt32]) func manyOids(step: UInt32) {
        var table = OIDTable()
        defer { table.free() }
        let oids = (0..<20_000).map { UInt32(16_384) &+ UInt32($0) &* step }
        var expected: [UInt32: Int32] = [:]
        for (index, oid) in oids.enumerated() {
            table.set(oid, Int32(index))
            expected[oid] = Int32(index)
        }
        #expect(table.count == expected.count)
        #expect(expected.allSatisfy { table.find($0.key) == $0.value })
        #expect(table.find(5) == (expected[5] ?? -1))
        table.set(oids[7], 99)
        #expect(table.find(oids[7]) == 99)
        #expect(table.count == expected.count)
    }

    @Test func theEnds() {
        var table = OIDTable()
        defer { table.free() }
        #expect(table.find(0) == -1 && table.find(UInt32.max) == -1)
        table.set(0, 1)
        table.set(UInt32.max, 2)
        #expect(table.find(0) == 1 && table.find(UInt32.max) == 2 && table.find(1) == -1)
    }
}

@Suite struct TopicTableTests {
    @Test(arguments: [
        ("cdc.public.items", "cdc.public.items"), ("a b/c:d", "a_b_c_d"), ("größe", "gr__e"), ("日本", "__"), ("A-z_0.9", "A-z_0.9"), ("", ""), ("\"q\"", "_q_"),
        ("\u{1F600}", "_"),
    ]) func charactersThatKafkaRefuses(name: String, topic: String) { #expect(TopicTable.sanitized(name) == topic) }

    @Test func theSameNumberForTheSameName() {
        let table = TopicTable()
        #expect(table.number("a b") == 1)
        #expect(table.number("a_b") == 1)
        #expect(table.number("c") == 2)
        #expect(table.name(1) == "a_b" && table.name(2) == "c" && table.name(3) == "" && table.name(0) == "")
        for name in ["", ".", "..", String(repeating: "x", count: 250)] { #expect(table.number(name) == nil) }
        #expect(table.number(String(repeating: "x", count: 249)) == 3)
    }

    @Test func aNewSinkFindsItsTopicsAgain() throws {
        let table = TopicTable()
        let number = try #require(table.number("a"))
        #expect(!table.isResolved(number) && !table.isResolved(UInt32.max))
        table.resolve(number, partitions: 3)
        #expect(table.isResolved(number))
        #expect(table.array[Int(number)]?.pointee.partition_count == 3)
        table.forgetResolutions()
        #expect(!table.isResolved(number))
        #expect(table.number("a") == number)
    }
}

@Suite struct RelationRegistryTests {
    @Test func equalShapesAreOneRelation() {
        let registry = RelationRegistry { schema, table in "t.\(schema).\(table) x" }
        var shape = RelationShape(oid: 1, schema: "public", table: "a", replicaIdentity: 100, columns: [ColumnShape(name: "id", typeOID: 23)])
        let first = registry.intern(shape)
        #expect(registry.intern(shape) == first)
        #expect(String(abi: first.pointee.topic) == "t.public.a_x")
        shape.columns.append(ColumnShape(name: "b", typeOID: 25))
        let second = registry.intern(shape, previous: first)
        #expect(second != first && second.pointee.schema_id != first.pointee.schema_id)
        #expect(second.pointee.previous == first)
        let derived = registry.derive(second, [shape.columns[1]])
        #expect(derived == registry.derive(second, [shape.columns[1]]))
        #expect(derived != registry.derive(first, [shape.columns[1]]))
        #expect(derived.pointee.base == second && derived.pointee.column_count == 1)
        #expect(String(abi: derived.pointee.topic) == "t.public.a_x")
    }
}
