import Testing

@testable import Postgres

@Suite struct PublicationPlanTests {
    static func table(
        _ name: String, _ oid: UInt32, key: [String] = ["id"], identity: ReplicaIdentity = .primaryKey, columns: [String] = ["id", "v", "w"],
        partitioned: Bool = false, badPartitions: [String] = []
    ) -> Table {
        Table(
            oid: oid, schema: "public", name: name, isPartitioned: partitioned, isPartition: false, replicaIdentity: identity, primaryKey: key,
            primaryKeyIsDeferrable: false, identityIndex: [], partitionsWithoutIdentity: badPartitions, estimatedRows: 0, isReadable: true,
            hidesRows: false,
            columns: columns.enumerated().map {
                Column(
                    name: $1, number: Int16($0 + 1), typeOID: 23, typmod: -1, typeName: "int4", isNotNull: false, isGenerated: false,
                    isPrimaryKey: false,
                    keyOrdinal: 0, baseTypeOID: 23, baseTypmod: -1, elementOID: 0, baseTypeKind: 98)
            })
    }

    static func state(
        _ members: [PublicationMember] = [], all: Bool = false, operations: Set<String> = ["insert", "update", "delete", "truncate"],
        viaRoot: Bool = true
    ) -> PublicationState {
        PublicationState(
            name: "pub", allTables: all, operations: operations, viaRoot: viaRoot, comment: nil, members: members, effective: Set(members.map(\.oid)))
    }

    static func member(_ name: String, _ oid: UInt32, columns: [String]? = nil, filter: String? = nil) -> PublicationMember {
        PublicationMember(oid: oid, quotedName: "\"public\".\"\(name)\"", columns: columns, rowFilter: filter)
    }

    private func policy(manage: Bool = true, ours: Bool = false, version: Int = 150_018) -> PublicationPlan.Policy {
        PublicationPlan.Policy(name: "pub", stream: "shop", manage: manage, createdByUs: ours, serverVersion: version)
    }

    @Test func missingPublicationIsMadeForItsTablesOnly() {
        let plan = PublicationPlan.make(
            policy(), state: nil, wanted: [PublishedTable(Self.table("t", 1)), PublishedTable(Self.table("nopk", 2, key: []))])
        #expect(
            plan.statements == [
                #"CREATE PUBLICATION "pub" FOR TABLE ONLY "public"."t" WITH (publish_via_partition_root = true)"#,
                #"COMMENT ON PUBLICATION "pub" IS 'cdc-host stream shop'"#,
            ])
        #expect(plan.leftOut.map(\.oid) == [2])
        #expect(plan.leftOut.first?.cures.contains(#"ALTER TABLE "public"."nopk" REPLICA IDENTITY FULL"#) == true)
        #expect(plan.published == [1])
        #expect(plan.problems.isEmpty)
    }

    @Test func unmanagedPublicationIsOnlyComplainedOf() {
        let missing = PublicationPlan.make(policy(manage: false), state: nil, wanted: [PublishedTable(Self.table("t", 1))])
        #expect(missing.statements.isEmpty)
        #expect(missing.problems.first?.cure.hasPrefix("CREATE PUBLICATION") == true)
        let lacking = PublicationPlan.make(policy(manage: false), state: Self.state(), wanted: [PublishedTable(Self.table("t", 1))])
        #expect(lacking.problems.map(\.cure) == [#"ALTER PUBLICATION "pub" ADD TABLE ONLY "public"."t""#])
        let inserts = PublicationPlan.make(
            policy(manage: false), state: Self.state([Self.member("t", 1)], operations: ["insert"]), wanted: [PublishedTable(Self.table("t", 1))])
        #expect(inserts.problems.map(\.message) == [#"publication "pub" does not publish update, delete"#])
        #expect(inserts.problems.map(\.cure) == [#"ALTER PUBLICATION "pub" SET (publish = 'insert, update, delete')"#])
    }

    @Test func sharedPublicationKeepsItsTables() {
        let shared = Self.state([Self.member("t", 1), Self.member("u", 2)])
        let foreign = PublicationPlan.make(policy(), state: shared, wanted: [PublishedTable(Self.table("u", 2))])
        #expect(foreign.statements.isEmpty && foreign.problems.isEmpty)
        #expect(foreign.published == [2])
        let own = PublicationPlan.make(
            policy(ours: true), state: shared, wanted: [PublishedTable(Self.table("u", 2)), PublishedTable(Self.table("n", 3))])
        #expect(own.statements == [#"ALTER PUBLICATION "pub" ADD TABLE ONLY "public"."n""#, #"ALTER PUBLICATION "pub" DROP TABLE "public"."t""#])
    }

    @Test func columnListsOnlyWhereTheyCoverTheIdentity() {
        let wanted = [
            PublishedTable(Self.table("a", 1), columns: ["id", "v"]), PublishedTable(Self.table("b", 2), columns: ["v"]),
            PublishedTable(Self.table("c", 3, identity: .full), columns: ["id"]),
        ]
        let plan = PublicationPlan.make(policy(), state: nil, wanted: wanted)
        #expect(plan.statements.first?.contains(#"ONLY "public"."a" ("id", "v"), ONLY "public"."b", ONLY "public"."c" WITH"#) == true)
        #expect(plan.columnsCutByHost == [2, 3])
        let old = PublicationPlan.make(policy(version: 140_000), state: nil, wanted: [wanted[0]])
        #expect(old.columnsCutByHost == [1])
    }

    @Test func rowFiltersArePushedDownOrRefused() {
        let wanted = [PublishedTable(Self.table("t", 1), rowFilter: "id > 5")]
        #expect(PublicationPlan.make(policy(), state: nil, wanted: wanted).statements.first?.contains(#""public"."t" WHERE (id > 5) WITH"#) == true)
        #expect(PublicationPlan.make(policy(version: 140_000), state: nil, wanted: wanted).problems.count == 1)
        #expect(PublicationPlan.make(policy(), state: Self.state([Self.member("t", 1)]), wanted: wanted).problems.count == 1)
        let own = PublicationPlan.make(policy(ours: true), state: Self.state([Self.member("t", 1)]), wanted: wanted)
        #expect(
            own.statements == [
                #"ALTER PUBLICATION "pub" DROP TABLE ONLY "public"."t""#, #"ALTER PUBLICATION "pub" ADD TABLE ONLY "public"."t" WHERE (id > 5)"#,
            ])
        let same = PublicationPlan.make(policy(ours: true), state: Self.state([Self.member("t", 1, filter: "(id > 5)")]), wanted: wanted)
        #expect(same.statements.isEmpty)
    }

    @Test func partitionsNeedTheRoot() {
        let root = Self.table("p", 1, partitioned: true)
        let foreign = PublicationPlan.make(policy(), state: Self.state([Self.member("p", 1)], viaRoot: false), wanted: [PublishedTable(root)])
        #expect(foreign.problems.map(\.cure) == [#"ALTER PUBLICATION "pub" SET (publish_via_partition_root = true)"#])
        let created = PublicationPlan.make(policy(), state: nil, wanted: [PublishedTable(root)])
        #expect(created.statements.first?.contains(#"FOR TABLE "public"."p" WITH"#) == true)
        let bad = PublicationPlan.make(
            policy(), state: nil, wanted: [PublishedTable(Self.table("p", 1, partitioned: true, badPartitions: [#""public"."p1""#]))])
        #expect(bad.leftOut.first?.cures == [#"ALTER TABLE "public"."p1" REPLICA IDENTITY FULL"#])
    }

    @Test func forAllTablesIsTakenAsItIs() {
        let plan = PublicationPlan.make(policy(manage: false), state: Self.state(all: true), wanted: [PublishedTable(Self.table("t", 1))])
        #expect(plan.statements.isEmpty && plan.problems.isEmpty)
        #expect(plan.published == [1])
    }
}
