import Files
import Settings
import Testing

@testable import Host

@Suite struct InitTests {
    /// The directory of the project's own plugins.d.
    private static var own: String {
        var path = #filePath
        for _ in 0..<3 { path = FilePath.directory(of: path) }
        return FilePath.join(path, "plugins.d")
    }

    @Test func itWritesTheProjectsOwnFiles() throws {
        #expect(try FileSystem.list(Self.own) == InitTemplates.files.map(\.name))
        for (name, text) in InitTemplates.files {
            let bytes = try FileSystem.read(FilePath.join(Self.own, name))
            #expect(String(decoding: bytes, as: UTF8.self) == text, "\(name): bring Sources/Host/Commands/InitTemplates.swift up to date")
        }
    }

    @Test(arguments: [
        ("postgresql://cdc@h/db", "postgresql://cdc@h/db", []),
        (
            "postgresql://cdc:s3cret@h:5433/db?sslmode=disable", "postgresql://cdc:${env:CDC_PG_PASSWORD:-}@h:5433/db?sslmode=disable",
            ["CDC_PG_PASSWORD"]
        ),
        ("postgresql://h/db?user=a&password=s3cret", "postgresql://h/db?user=a&password=${env:CDC_PG_PASSWORD:-}", ["CDC_PG_PASSWORD"]),
        ("host=h password='s3 cret' dbname=db", "host=h password=${env:CDC_PG_PASSWORD:-} dbname=db", ["CDC_PG_PASSWORD"]),
        ("host=h sslpassword=s3cret", "host=h sslpassword=${env:CDC_PG_SSLPASSWORD:-}", ["CDC_PG_SSLPASSWORD"]),
        (#"host=h user='a"b'"#, #"host=h user='a\"b'"#, []),
        ("host=h user=${env:HOME}", "host=h user=$${env:HOME}", []),
    ])
    func aSecretIsNeverWritten(_ given: String, _ written: String, _ variables: [String]) throws {
        let text = try ConnectionText(given)
        #expect(text.yaml == written)
        #expect(text.variables == variables)
    }

    @Test(arguments: ["nonsense", "host='open", "host=h\npassword=x"]) func whatIsNoConnectionStringIsRefused(_ given: String) {
        do throws(HostExit) {
            _ = try ConnectionText(given)
            Issue.record("\(given) was taken")
        } catch { #expect(error.code == .usage) }
    }

    @Test func aDatabaseNamesTheStream() {
        #expect(InitCommand.streamName("Shop-DB 1") == "\"shop_db_1\"")
        #expect(InitCommand.streamName("") == "\"stream\"")
    }
}
