// A small shop, and its changes as they arrive in Kafka: what `make demo` runs.
import Glibc

/// The variables of this process.
func environmentVariables() -> [String: String] {
    var variables: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee {
        let words = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        if words.count == 2 { variables[String(words[0])] = String(words[1]) }
        entry += 1
    }
    return variables
}

/// The folder that this program lies in; the host and the embedded Kafka lie there too.
func programsDirectory() throws(ShopError) -> String {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    let path = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    guard let slash = path.lastIndex(of: "/") else { throw ShopError("/proc/self/exe: \(SystemText.of(errno))") }
    return String(path[..<slash])
}

func perform(_ arguments: Arguments, environment: [String: String]) -> Int32 {
    let session = Session(screen: Screen(environment: environment), signals: StopSignals())
    var agreed = false
    do {
        agreed = try Demo(arguments, environment: environment, programs: try programsDirectory(), session: session).run()
    } catch is Interrupted {
        session.screen.endBottom()
        session.screen.complain("stopped before the shop had opened")
    } catch let error as ShopError {
        session.screen.endBottom()
        session.screen.complain(error.message)
    } catch {
        session.screen.endBottom()
        session.screen.complain("\(error)")
    }
    let undone = session.undoAll()
    return agreed && undone ? 0 : 1
}

let variables = environmentVariables()
do {
    let arguments = try Arguments(Array(CommandLine.arguments.dropFirst()), environment: variables)
    if arguments.help {
        print(Arguments.usage, terminator: "")
    } else {
        exit(perform(arguments, environment: variables))
    }
} catch {
    Screen(environment: variables).complain(error.message)
    exit(64)
}
