import Files
import Glibc
import PluginABI
import PluginLoader
import Settings
import Testing

@Suite struct PluginLoaderTests {
    let workshop: Workshop

    init() throws { workshop = try Workshop() }

    @Test func whatALibrarySaysOfItself() throws {
        let library = try workshop.loader.load(workshop.build("good.so"), generation: 7)
        #expect(
            library.id == "fixture" && library.version == "1.0.0" && library.vendor == "Tests" && library.license == "" && library.generation == 7)
        let stage = try library.stage(nil)
        #expect(stage.role == .transform && stage.id == "Fixture" && stage.flags == [.sensitive, .deterministic])
        #expect(stage.transform != nil && stage.codec == nil && stage.decoder == nil && stage.sink == nil && stage.partitioner == nil)
        #expect(stage.schema.properties.map(\.name) == ["how", "wait"] && stage.schema.required == ["how"])
        #expect(library.infoText.contains("how   fixed | hash, required: What is done."))
        #expect(library.infoText.contains("wait  duration, default 5s"))
        #expect(library.infoJSON.contains("\"x-unit\": \"duration\""))
        #expect(throws: PluginError.self) { try library.stage("Other") }
    }

    @Test(arguments: [1, 3, 4, 5]) func theOtherRoles(role: Int) throws {
        let stage = try workshop.loader.load(workshop.build("role.so", ["ROLE=\(role)"])).stage("Fixture")
        #expect(stage.role.rawValue == UInt32(role))
        #expect((stage.decoder != nil) == (role == 1) && (stage.codec != nil) == (role == 3))
        #expect((stage.partitioner != nil) == (role == 4) && (stage.sink != nil) == (role == 5))
        #expect(stage.outputPlugin == (role == 1 ? "pgoutput" : nil))
    }

    /// The private copy runs: the original may be overwritten, renamed over, or swapped through a link, and each content is mapped once.
    @Test func newCodeUnderAnOldPathIsNewCode() throws {
        let first = try workshop.bytes(workshop.build("v1.so", ["VERSION=\"1\""]))
        let second = try workshop.bytes(workshop.build("v2.so", ["VERSION=\"2\""]))
        let path = try workshop.put("plugin.so", first)
        func activate(_ library: LoadedLibrary) -> Int32? { library.stages.first?.life.activate?(nil, 0, 5) }
        let one = try workshop.loader.load(path)
        #expect(one.version == "1" && activate(one) == 1005)
        // In place, through the same inode.
        _ = system("cat '\(workshop.directory("v2.so"))' > '\(path)'")
        #expect(activate(one) == 1005)
        let two = try workshop.loader.load(path)
        #expect(two.version == "2" && one.version == "1" && activate(one) == 1005 && activate(two) == 1005)
        #expect(two.sha256 == SHA256.hex(second))
        _ = try workshop.put("plugin.so", first)
        let three = try workshop.loader.load(path, generation: 3)
        #expect(three.version == "1" && three.generation == 3)
        #expect(three.stages.first?.desc == one.stages.first?.desc)
        #expect(workshop.loader.mapped.count == 2)
        let copies = try FileSystem.list(workshop.directory("state/plugins"))
        #expect(Set(copies) == [one.sha256 + ".so", two.sha256 + ".so"])
        #expect(try FileSystem.status(of: workshop.directory("state/plugins/" + copies[0])).mode == 0o500)
    }

    @Test func aDamagedCopyIsMadeAgain() throws {
        let path = try workshop.build("good.so")
        let candidate = try workshop.loader.examine(path)
        _ = system("chmod u+w '\(candidate.copyPath)'; echo x >> '\(candidate.copyPath)'")
        #expect(try workshop.loader.examine(path).copyPath == candidate.copyPath)
        #expect(SHA256.hex(try workshop.bytes(candidate.copyPath)) == candidate.sha256)
    }

    @Test func initIsCalledForTheFirstUserAndDeinitForTheLast() throws {
        let path = try workshop.build("good.so")
        let library = try workshop.loader.load(path)
        let again = try workshop.loader.load(path)
        let activate = try #require(library.stages.first?.life.activate)
        try withUnsafePointer(to: cdcp_host()) { host in
            #expect(activate(nil, 0, 0) == 1000)
            try library.retain(host)
            try again.retain(host)
            #expect(activate(nil, 0, 0) == 1001)
            library.release()
            #expect(activate(nil, 0, 0) == 1001)
            again.release()
            again.release()
            #expect(activate(nil, 0, 0) == 1000)
        }
    }

    @Test func unresolvedSymbolsAreAnErrorThatNamesThem() throws {
        let refusal = workshop.refusal(try workshop.build("undefined.so", ["UNDEFINED"]))
        #expect(refusal?.kind == .loading && refusal?.what.contains("nobody_has_this") == true)
    }

    @Test func describeLeavesNothingBehind() throws {
        let path = try workshop.build("good.so")
        setenv("TMPDIR", workshop.directory.path, 1)
        defer { unsetenv("TMPDIR") }
        let library = try PluginLoader.describe(path)
        #expect(library.path == path)
        #expect(try FileSystem.list(workshop.directory.path).filter { $0.hasPrefix("cdc-host-") }.isEmpty)
        #expect(library.stages.first?.life.activate?(nil, 0, 1) == 1001)
    }

    @Test(.enabled(if: geteuid() == 0, "only root may mount a file system with noexec"))
    func aDirectoryWithoutExecutionIsSaidSo() throws {
        let directory = workshop.directory("noexec")
        mkdir(directory, 0o700)
        // Containers may forbid it even to root.
        guard system("mount -t tmpfs -o noexec,size=1m none '\(directory)' 2>/dev/null") == 0 else { return }
        defer { _ = system("umount '\(directory)'") }
        let refusal = #expect(throws: PluginError.self) { try PluginLoader(directory: directory + "/plugins") }
        #expect(refusal?.kind == .directory && refusal?.what.contains("noexec") == true)
    }
}
