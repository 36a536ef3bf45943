import Admin
import Checkpoint

/// `status`: what the running host says of itself.
enum StatusCommand {
    static func run(directory: String, state: String?, json: Bool, environment: [String: String]) -> ExitCode {
        RunningHost.with(directory: directory, state: state, environment: environment) { ask($0, json: json) }
    }

    private static func ask(_ host: RunningHost, json: Bool) -> ExitCode {
        guard !host.info.adminAddress.isEmpty else {
            printError("cdc-host: process \(host.info.pid) runs the stream \(host.name), and its admin.listen is off: it cannot be asked")
            return .unavailable
        }
        do throws(AdminError) {
            let answer = try AdminClient.get(try AdminAddress(host.info.adminAddress), path: "/status")
            guard answer.status == 200 else {
                printError("cdc-host: \(host.info.adminAddress) answered with HTTP status \(answer.status)")
                return .unavailable
            }
            print(json ? answer.body : StatusText.render(answer.body) ?? answer.body, terminator: "")
            return .clean
        } catch {
            printError("cdc-host: process \(host.info.pid) runs, but does not answer: \(error)")
            return .unavailable
        }
    }
}
