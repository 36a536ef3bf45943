/// What must be true of a library before any of its code may run: `dlopen` runs constructors, so it is too late afterwards.
enum ElfChecks {
    static let entry = "cdcp_entry_v1"

    #if arch(x86_64)
        static let machine: (number: UInt16, name: String) = (62, "x86-64")
    #elseif arch(arm64)
        static let machine: (number: UInt16, name: String) = (183, "AArch64")
    #endif

    /// Throws for the first thing that is wrong.
    static func run(_ bytes: [UInt8], path: String) throws(PluginError) {
        do {
            let image = try ElfReader(bytes)
            try checkKind(image, path)
            try checkDynamic(image, path)
            try checkExports(image, path)
        } catch {
            throw translate(error, bytes.count, path)
        }
    }

    private static func translate(_ failure: any Error, _ size: Int, _ path: String) -> PluginError {
        switch failure {
        case let error as PluginError: return error
        case ElfReader.Failure.notElf:
            return PluginError(.notALibrary, path, "is not a shared library (no ELF header)", cure: "name the library's file")
        case ElfReader.Failure.beyondEnd(let what, let end):
            return PluginError(
                .truncated, path, "is truncated: \(what) would end at byte \(end), the file has \(size) bytes",
                cure: "copy it again, and reload when it is complete; install by writing a new file and renaming it")
        case ElfReader.Failure.malformed(let what):
            return PluginError(.notALibrary, path, "is a damaged or unusual library: \(what)", cure: "build or copy it again")
        default: return PluginError(.notALibrary, path, "\(failure)", cure: "")
        }
    }

    private static func checkKind(_ image: ElfReader, _ path: String) throws(PluginError) {
        guard image.is64BitLittleEndian, image.machine == machine.number else {
            throw PluginError(.machine, path, "is for another machine (ELF machine \(image.machine))", cure: "build it for \(machine.name)")
        }
        guard image.type == 3 else {
            throw PluginError(.notALibrary, path, "is an ELF file, but not a shared library", cure: "link it with -shared")
        }
    }

    private static func checkDynamic(_ image: ElfReader, _ path: String) throws(any Error) {
        // DT_TEXTREL, and DF_TEXTREL in DT_FLAGS.
        if try image.dynamicEntries().contains(where: { $0.tag == 22 || $0.tag == 30 && $0.value & 4 != 0 }) {
            throw PluginError(.insecure, path, "must be changed in its code when it is loaded (TEXTREL)", cure: "compile it with -fPIC")
        }
        // PT_GNU_STACK without PF_X; where it is missing the loader makes all stacks executable.
        guard let stack = image.segments.first(where: { $0.type == 0x6474_e551 }), stack.flags & 1 == 0 else {
            throw PluginError(.insecure, path, "asks for an executable stack", cure: "link it with -z noexecstack")
        }
    }

    private static func checkExports(_ image: ElfReader, _ path: String) throws(any Error) {
        let tolerated: Set = [
            "_init", "_fini", "__bss_start", "_edata", "_end", "__end__", "_bss_end__", "__bss_end__", "__bss_start__", "_etext", "etext", "edata",
            "end",
        ]
        // Defined (not absolute: those name versions), global or unique, and not hidden.
        let exported = try image.dynamicSymbols().filter {
            $0.section != 0 && $0.section != 0xfff1 && ($0.binding == 1 || $0.binding == 10) && ($0.visibility == 0 || $0.visibility == 3)
                && !tolerated.contains($0.name)
        }.map(\.name)
        let cure = "link it with a version script that exports \(entry) alone"
        guard exported.contains(entry) else {
            if let other = exported.first(where: { $0.hasPrefix("cdcp_entry_v") }) {
                throw PluginError(
                    .version, path, "exports \(other), but not \(entry): it is for another major version of the contract",
                    cure: "use a build for version 1")
            }
            throw PluginError(.exports, path, "does not export \(entry)", cure: "is it a plugin? See docs/writing-a-plugin.md")
        }
        let others = exported.filter { $0 != entry }
        guard others.isEmpty else {
            let some = others.prefix(3).joined(separator: ", ") + (others.count > 3 ? " …" : "")
            throw PluginError(.exports, path, "exports \(others.count) symbol(s) besides \(entry): \(some)", cure: cure)
        }
    }
}
