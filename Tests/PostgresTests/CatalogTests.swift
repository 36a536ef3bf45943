import Testing

@testable import Postgres

@Suite(.enabled(if: TestServer.isAvailable), .serialized, .timeLimit(.minutes(2))) struct CatalogTests {
    private func database(_ name: String, _ sql: String) throws -> Connection {
        let server = try #require(TestServer.shared)
        try server.makeDatabase(name)
        let connection = try server.connect(database: name)
        try connection.execute(sql)
        return connection
    }

    @Test func oddTables() throws {
        let connection = try database(
            "catalog",
            #"""
            CREATE SCHEMA "we""ird.s"; CREATE TYPE public.mood AS ENUM ('a', 'b'); CREATE DOMAIN public.d1 AS numeric(6,3);
            CREATE DOMAIN public.d2 AS public.d1;
            CREATE DOMAIN public.di AS int[];
            CREATE TABLE "we""ird.s"."Order 'Items'"("Id" int, b text, x public.d2, m public.mood[], dd public.d2[], da public.di,
              g int GENERATED ALWAYS AS (1) STORED,
              v varchar(5) NOT NULL, PRIMARY KEY (b, "Id"));
            CREATE TABLE public.nopk(a int); CREATE TABLE public.full_(id int PRIMARY KEY, a int); ALTER TABLE public.full_ REPLICA IDENTITY FULL;
            CREATE TABLE public.idx(id int PRIMARY KEY, c text NOT NULL, e text NOT NULL); CREATE UNIQUE INDEX idx_u ON public.idx(e, c);
            ALTER TABLE public.idx REPLICA IDENTITY USING INDEX idx_u;
            CREATE TABLE public.gone(id int PRIMARY KEY, c text NOT NULL); CREATE UNIQUE INDEX gone_u ON public.gone(c);
            ALTER TABLE public.gone REPLICA IDENTITY USING INDEX gone_u; DROP INDEX public.gone_u;
            CREATE TABLE public.late(id int PRIMARY KEY DEFERRABLE); CREATE UNLOGGED TABLE public.unlogged(id int PRIMARY KEY);
            CREATE TABLE public.parted(id int, r text, PRIMARY KEY (id, r)) PARTITION BY LIST (r);
            CREATE TABLE public.parted_a PARTITION OF public.parted FOR VALUES IN ('a') PARTITION BY LIST (id);
            CREATE TABLE public.parted_a1 PARTITION OF public.parted_a FOR VALUES IN (1);
            CREATE TABLE public.bare(id int) PARTITION BY LIST (id); CREATE TABLE public.bare_1 PARTITION OF public.bare FOR VALUES IN (1);
            CREATE TABLE public.dropped(a int, b int, c int PRIMARY KEY); ALTER TABLE public.dropped DROP COLUMN b; CREATE TABLE public.none();
            CREATE VIEW public.view AS SELECT 1
            """#)
        let tables = try Catalog.tables(on: connection) { _, _ in true }
        #expect(tables.map(\.name) == ["bare", "dropped", "full_", "gone", "idx", "late", "none", "nopk", "parted", "Order 'Items'"])
        let byName = Dictionary(uniqueKeysWithValues: tables.map { ($0.name, $0) })
        #expect(tables.filter(\.hasUsableIdentity).map(\.name) == ["dropped", "full_", "idx", "parted", "Order 'Items'"])
        #expect(byName["bare"]?.partitionsWithoutIdentity == [#""public"."bare_1""#])
        #expect(byName["idx"]?.keyColumns == ["e", "c"])
        #expect(byName["full_"]?.keyColumns == ["id"])
        #expect(byName["dropped"]?.columns.map(\.number) == [1, 3])
        let odd = try #require(byName["Order 'Items'"])
        #expect(odd.schema == "we\"ird.s" && odd.primaryKey == ["b", "Id"])
        #expect(odd.columns.map(\.keyOrdinal) == [2, 1, 0, 0, 0, 0, 0, 0])
        let x = odd.columns[2]
        #expect(x.typeName == "d2" && x.baseTypeOID == 1700 && x.baseTypmod == (6 << 16 | 3) + 4 && x.baseTypeKind == UInt8(ascii: "b"))
        #expect(odd.columns[3].elementOID != 0 && odd.columns[3].typeName == "_mood" && odd.columns[3].baseTypeKind == UInt8(ascii: "e"))
        #expect(odd.columns[4].elementOID == 1700 && odd.columns[4].baseTypeKind == UInt8(ascii: "b"))
        #expect(odd.columns[5].baseTypeOID == 1007 && odd.columns[5].elementOID == 23)
        #expect(odd.columns[6].isGenerated && odd.columns[7].isNotNull && odd.columns[7].typmod == 9)

        let leafOnly = try Catalog.tables(on: connection) { $1 == "parted_a1" || $1 == "parted_a" }
        #expect(leafOnly.map(\.name) == ["parted_a"])
        let details = try #require(try Catalog.relationDetails(oid: odd.oid, on: connection))
        #expect(details == odd)
        let root = try #require(byName["parted"])
        #expect(try Catalog.relationDetails(oid: root.oid, on: connection) == root)
        #expect(try Catalog.relationDetails(oid: 1, on: connection) == nil)
    }

    @Test func plannedPublicationIsWhatTheServerHas() throws {
        let connection = try database(
            "planned",
            """
            CREATE TABLE t(id int PRIMARY KEY, v text, w text); INSERT INTO t VALUES (1, 'a', 'b');
            CREATE TABLE f(id int, region text, v int, PRIMARY KEY (id, region));
            CREATE TABLE nopk(a int); INSERT INTO nopk VALUES (1); CREATE SCHEMA other; CREATE TABLE other.x(a int); INSERT INTO other.x VALUES (1);
            CREATE TABLE parted(id int PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1)
            """.replacingPublicSchema)
        let tables = try Catalog.tables(on: connection) { schema, _ in schema == "public" }
        let wanted = tables.map { table in
            PublishedTable(table, columns: table.name == "t" ? ["id", "v"] : nil, rowFilter: table.name == "f" ? "region = 'EU'" : nil)
        }
        #expect(try Publication.filterProblems(wanted, on: connection).isEmpty)
        let policy = PublicationPlan.Policy(
            name: "pu'b\"", stream: "sh'op", manage: true, createdByUs: false, serverVersion: connection.serverVersion)
        let plan = PublicationPlan.make(policy, state: nil, wanted: wanted)
        try Publication.apply(plan, on: connection)
        let state = try #require(try Publication.state(of: policy.name, on: connection))
        #expect(!state.allTables && state.viaRoot && state.comment == Publication.mark(stream: "sh'op"))
        #expect(state.effective == plan.published)
        #expect(state.members.map(\.quotedName) == [#""public"."f""#, #""public"."parted""#, #""public"."t""#])
        #expect(state.members.last?.columns == ["id", "v"])
        #expect(state.members.first?.rowFilter?.contains("region") == true)
        for sql in ["UPDATE public.nopk SET a = 2", "UPDATE other.x SET a = 2", "DELETE FROM public.nopk", "UPDATE public.t SET w = 'c'"] {
            try connection.execute(sql)
        }
        var owner = policy
        owner.createdByUs = true
        try connection.execute("CREATE TABLE public.n(id int PRIMARY KEY)")
        let more = try Catalog.tables(on: connection) { $1 == "n" || $1 == "t" }.map { PublishedTable($0) }
        try Publication.apply(PublicationPlan.make(owner, state: state, wanted: more), on: connection)
        let after = try #require(try Publication.state(of: policy.name, on: connection))
        #expect(after.members.map(\.quotedName) == [#""public"."n""#, #""public"."t""#])
        #expect(after.members.last?.columns == nil)
        #expect(PublicationPlan.make(owner, state: after, wanted: more).statements.isEmpty)
    }

    @Test func rowFiltersOutsideTheIdentityOrWrongAreNamed() throws {
        let connection = try database("filtered", "CREATE TABLE public.t(id int PRIMARY KEY, v int); CREATE TABLE public.u(id int PRIMARY KEY)")
        let tables = try Catalog.tables(on: connection) { _, _ in true }
        let problems = try Publication.filterProblems(
            [PublishedTable(tables[0], rowFilter: "id > 1 AND v > 2"), PublishedTable(tables[1], rowFilter: "nothing = 1")], on: connection)
        #expect(problems.count == 2)
        #expect(problems.first?.message.contains("reads v") == true)
        #expect(try connection.query("SELECT 1").count == 1)
        #expect(try Publication.state(of: "absent", on: connection) == nil)
    }
}

extension String {
    /// The sessions of this module have an empty search path: unqualified names of the text above belong to `public`.
    fileprivate var replacingPublicSchema: String { "SET search_path TO public; " + self + "; SET search_path TO ''" }
}
