import Files
import Glibc
import Testing

@testable import PluginLoader

/// What is decided before any code of a library may run.
@Suite struct PluginFileTests {
    let workshop: Workshop

    init() throws { workshop = try Workshop() }

    @Test func everyCutFileIsTruncatedAndNeverMapped() throws {
        let whole = try workshop.bytes(workshop.build("good.so"))
        let cuts = [0, 1, 3, 4, 63, 64, 1000, whole.count / 2, whole.count - 1] + stride(from: 65, to: whole.count, by: 211)
        for cut in cuts {
            let path = try workshop.put("cut.so", Array(whole[..<cut]))
            let refusal = workshop.refusal(path)
            #expect(refusal?.kind == .truncated, "\(cut)")
            #expect(refusal?.description.contains("\(path): is truncated") == true)
        }
        #expect(workshop.loader.mapped.count == 0)
        #expect(try workshop.loader.load(workshop.put("cut.so", whole)).id == "fixture")
    }

    @Test func damagedHeadersGiveAnErrorAndNeverATrap() throws {
        let whole = try workshop.bytes(workshop.build("good.so"))
        var random = SystemRandomNumberGenerator()
        let seed = UInt64.random(in: 0..<UInt64.max, using: &random)
        var state = seed
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for _ in 0..<1500 {
            var bytes = whole
            for _ in 0...next(4) {
                let region = next(3) == 0 ? whole.count - 2000 + next(2000) : next(1200)
                bytes[region] = [0, 1, 0x7f, 0x80, 0xff][next(5)]
            }
            do throws(PluginError) { try ElfChecks.run(bytes, path: "x") } catch { #expect(!error.what.isEmpty, "seed \(seed)") }
        }
    }

    @Test func ownerAndModeOfFileAndDirectoryDecide() throws {
        let path = try workshop.build("good.so")
        chmod(path, 0o664)
        #expect(workshop.refusal(path)?.kind == .permission)
        chmod(path, 0o646)
        #expect(workshop.refusal(path)?.description.contains("mode 0646") == true)
        chmod(path, 0o644)
        chmod(workshop.directory.path, 0o777)
        #expect(workshop.refusal(path)?.what.contains("its directory") == true)
        chmod(workshop.directory.path, 0o1777)
        _ = try workshop.loader.load(path)
        chmod(workshop.directory.path, 0o700)
        if geteuid() == 0 {
            chown(path, 12345, 12345)
            #expect(workshop.refusal(path)?.what.contains("owned by user 12345") == true)
        }
    }

    @Test func linksAreResolvedOnceAndTheirDirectoryCounts() throws {
        let path = try workshop.build("good.so")
        mkdir(workshop.directory("links"), 0o700)
        let link = workshop.directory("links/current.so")
        symlink(path, link)
        #expect(try workshop.loader.load(link).path == link)
        chmod(workshop.directory("links"), 0o777)
        #expect(workshop.refusal(link)?.kind == .permission)
    }

    @Test func whatIsNoLibraryIsNamed() throws {
        #expect(workshop.refusal(workshop.directory("none.so"))?.kind == .missing)
        #expect(workshop.refusal(try workshop.put("text.so", Array("#!/bin/sh\necho hello\n".utf8)))?.kind == .notALibrary)
        #expect(workshop.refusal(workshop.directory("state"))?.kind == .notALibrary)
        mkfifo(workshop.directory("pipe.so"), 0o600)
        #expect(workshop.refusal(workshop.directory("pipe.so"))?.kind == .notALibrary)
        #expect(workshop.refusal("/bin/true") != nil)
    }

    @Test func anotherMachineIsRefused() throws {
        var bytes = try workshop.bytes(workshop.build("good.so"))
        bytes[18] ^= 0xff
        let refusal = workshop.refusal(try workshop.put("other.so", bytes))
        #expect(refusal?.kind == .machine)
        #expect(refusal?.cure.contains(ElfChecks.machine.name) == true)
    }

    @Test func exactlyOneExport() throws {
        let two = workshop.refusal(try workshop.build("two.so", ["SECOND_EXPORT"]))
        #expect(two?.kind == .exports && two?.what.contains("leaked") == true)
        #expect(workshop.refusal(try workshop.build("none.so", ["NO_ENTRY"]))?.kind == .exports)
        let later = workshop.refusal(try workshop.build("later.so", ["NO_ENTRY", "ENTRY_V2"]))
        #expect(later?.kind == .version && later?.what.contains("cdcp_entry_v2") == true)
    }

    @Test func executableStacksAndTextRelocationsAreRefused() throws {
        #expect(workshop.refusal(try workshop.build("stack.so", link: "-Wl,-z,execstack"))?.what.contains("executable stack") == true)
        #expect(workshop.refusal(try workshop.build("text.so", ["TEXT_RELOCATION"], link: "-Wl,-z,notext"))?.what.contains("TEXTREL") == true)
    }

    @Test func refusedFilesRunNoCode() throws {
        let path = try workshop.build("two.so", ["SECOND_EXPORT", "VERSION=\"constructed-anyway\""])
        _ = workshop.refusal(path)
        #expect(getenv("CDC_FIXTURE_CONSTRUCTED").map { String(cString: $0) } != "constructed-anyway")
    }

    @Test func thePinDecides() throws {
        let path = try workshop.build("good.so")
        let hash = SHA256.hex(try workshop.bytes(path))
        #expect(try workshop.loader.load(path, sha256: hash.uppercased()).sha256 == hash)
        let refusal = workshop.refusal(path, sha256: String(repeating: "0", count: 64))
        #expect(refusal?.kind == .hash && refusal?.what.contains(hash) == true)
    }

    @Test func bareNamesAreTheHostsOwnAndPathsAreRelativeToTheStageFile() throws {
        mkdir(workshop.directory("bin"), 0o700)
        mkdir(workshop.directory("lib"), 0o700)
        mkdir(workshop.directory("lib/cdc-host"), 0o700)
        let beside = try workshop.build("bin/libBeside.so")
        let installed = try workshop.build("lib/cdc-host/libInstalled.so", ["STAGE_ID=\"Installed\""])
        _ = try workshop.put("bin/libOther.so", Array("not a library".utf8))
        func resolve(_ plugin: String) throws -> String {
            try PluginLocation.resolve(plugin: plugin, stageFile: "/etc/cdc/30-x.yaml", executableDirectory: workshop.directory("bin"))
        }
        #expect(try resolve("Beside") == beside)
        #expect(try resolve("Installed") == installed)
        #expect(try resolve("./own.so") == "/etc/cdc/./own.so")
        #expect(try resolve("/opt/own.so") == "/opt/own.so")
        let missing = #expect(throws: PluginError.self) { try resolve("Besid") }
        #expect(missing?.cure.contains("Beside, Installed") == true)
        #expect(throws: PluginError.self) { try resolve("own.so") }
        #expect(throws: PluginError.self) { try resolve("") }
        #expect(PluginLocation.available(executableDirectory: workshop.directory("bin")).map(\.name) == ["Beside", "Installed"])
    }
}
