import PluginABI
import PluginLoader
import Settings
import Testing

/// Libraries of other minors, and libraries that say nonsense.
@Suite struct GrowthTests {
    let workshop: Workshop

    init() throws { workshop = try Workshop() }

    @Test func longerTablesAreReadUpToWhatTheHostKnows() throws {
        let path = try workshop.build(
            "longer.so",
            [
                "LIBRARY_SIZE=sizeof(cdcp_library)+64", "STAGE_SIZE=sizeof(cdcp_stage_desc)+64", "LIFE_SIZE=sizeof(cdcp_lifecycle)+64",
                "OPS_SIZE=sizeof(cdcp_transform_ops)+64", "ABI_VERSION=65536u+3",
            ])
        let stage = try workshop.loader.load(path).stage(nil)
        #expect(stage.life.struct_size == UInt32(MemoryLayout<cdcp_lifecycle>.size))
        #expect(stage.transform?.struct_size == UInt32(MemoryLayout<cdcp_transform_ops>.size))
        #expect(stage.life.activate?(nil, 0, 3) == 1003)
    }

    @Test func shorterTablesAreFilledWithStubs() throws {
        let path = try workshop.build(
            "shorter.so",
            [
                "ROLE=5", "LIBRARY_SIZE=offsetof(cdcp_library,init)", "LIFE_SIZE=offsetof(cdcp_lifecycle,get_extension)",
                "OPS_SIZE=offsetof(cdcp_sink_ops,flush)",
            ])
        let library = try workshop.loader.load(path)
        let stage = try library.stage(nil)
        var anything = 0
        #expect(stage.life.get_extension.map { $0(&anything, "cdcp.state/1") } == .some(nil))
        #expect(stage.sink?.flush?(nil, 0) == CDCP_E_UNSUPPORTED)
        #expect(stage.sink?.submit?(nil, nil) == CDCP_OK)
        // Its init lies beyond its size: not called.
        try withUnsafePointer(to: cdcp_host()) { try library.retain($0) }
        #expect(stage.life.activate?(nil, 0, 0) == 1000)
    }

    @Test(arguments: [
        ("ABI_VERSION=131072u,ABI_MIN=131072u", PluginError.Kind.version, "built for the contract 2.0"),
        ("ABI_VERSION=65536u+3,ABI_MIN=65536u+3", .version, "needs at least the contract 1.3"),
        ("ABI_MIN=65536u+3", .contract, "library.abi_min is 1.3"),
        ("NULL_ENTRY", .version, "returned NULL"),
        ("LIBRARY_SIZE=0", .contract, "library.struct_size is 0 bytes"),
        ("LIBRARY_SIZE=4294967295u", .contract, "library.struct_size is 4294967295 bytes: no table is that large"),
        ("LIBRARY_SIZE=24", .contract, "library.struct_size is 24 bytes, at least 56"),
        ("STAGE_COUNT=0", .contract, "library.stage_count is 0"),
        ("STAGE_COUNT=100000", .contract, "library.stage_count is 100000"),
        ("STAGES=NULL", .contract, "library.stages[0] is NULL"),
        ("STAGES=&stage.table;&stage.table,STAGE_COUNT=2", .contract, "library.stages[1].id is Fixture, like that of another stage"),
        ("STAGE_SIZE=56", .contract, "library.stages[0].struct_size is 56 bytes, at least 64"),
        ("STAGE_ID=\"two words\"", .contract, "library.stages[0].id is \"two words\""),
        ("STAGE_ID=NULL", .contract, "library.stages[0].id is NULL"),
        ("STAGE_ID=\"\\xff\"", .contract, "library.stages[0].id is not UTF-8"),
        ("VERSION=\"\"", .contract, "library.version is empty"),
        ("VERSION=\"1\\n\"", .contract, "library.version has control characters"),
        ("ROLE=6", .contract, "library.stages[0].role is 6"),
        ("LIFE=NULL", .contract, "library.stages[0].life is NULL"),
        ("OPS_POINTER=NULL", .contract, "library.stages[0].ops is NULL"),
        ("BIND=NULL", .contract, "library.stages[0].life.bind_relation is NULL"),
        ("PROCESS=NULL", .contract, "library.stages[0].ops.process is NULL"),
        ("ROLE=1,OUTPUT_PLUGIN=NULL", .contract, "library.stages[0].ops.output_plugin is NULL"),
        ("LIFE_SIZE=44", .contract, "library.stages[0].life.struct_size is 44 bytes, at least 72"),
        ("LIFE_SIZE=76", .contract, "library.stages[0].life.struct_size is 76 bytes: not a multiple of 8"),
        ("OPS_SIZE=8", .contract, "library.stages[0].ops.struct_size is 8 bytes, at least 16"),
        ("RESERVED=1", .contract, "reserved is 1"),
        ("SCHEMA=\"{\"", .contract, "library.stages[0].config_schema_json is not JSON"),
        ("SCHEMA=\"{\\\"type\\\":\\\"table\\\"}\"", .contract, "table is not a type"),
    ])
    func nonsenseIsRefusedByTheNameOfItsField(defines: String, kind: PluginError.Kind, text: String) throws {
        let path = try workshop.build("bent.so", defines.split(separator: ",").map { String($0).replacing(";", with: ",") })
        let refusal = workshop.refusal(path)
        #expect(refusal?.kind == kind)
        #expect(refusal?.what.contains(text) == true, "\(refusal?.description ?? "")")
    }

    @Test func aStageWithoutOptionsNeedNotDescribeThem() throws {
        let stage = try workshop.loader.load(workshop.build("none.so", ["SCHEMA=NULL"])).stage(nil)
        #expect(stage.schema.additional == .refused && stage.schema.properties.isEmpty)
    }
}
