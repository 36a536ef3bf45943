import Glibc

/// A directory of a test's own, removed with its files when the value goes away.
final class TemporaryDirectory {
    let path: String

    init() {
        var template = Array("/tmp/cdc-test-XXXXXX".utf8CString)
        path = String(cString: mkdtemp(&template))
    }

    deinit { _ = system("rm -rf '\(path)'") }

    func callAsFunction(_ name: String) -> String { path + "/" + name }
}
