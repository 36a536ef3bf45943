import Admin
import Glibc
import Settings
import Telemetry

func currentPID() -> Int32 { getpid() }

/// The admin endpoint's answers.
enum AdminRoutes {
    static func answer(_ path: String, _ context: HostContext, status: @Sendable () -> JSONText, refresh: @Sendable () -> Void) -> AdminResponse? {
        switch path {
        case "/metrics":
            refresh()
            return AdminResponse(contentType: PrometheusText.contentType, body: PrometheusText.render(context.metrics.registry))
        case "/healthz":
            let answer = context.withHealth { $0.healthAnswer(at: $1) }
            return .json(status: answer.status, answer.body)
        case "/readyz":
            let answer = context.withHealth { $0.readyAnswer(at: $1) }
            return .json(status: answer.status, answer.body)
        case "/status": return .json(status().rendered() + "\n")
        default: return nil
        }
    }

    static func address(_ listen: AdminListen) throws(AdminError) -> AdminAddress? {
        listen == .off ? nil : try AdminAddress(listen.description)
    }
}
