// The proxy as a program, for measurements and for tests of programs: see fault-proxy --help.

import ArgumentParser
import FaultProxy
import FoundationEssentials
import Glibc

@main
struct FaultProxyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fault-proxy",
    abstract: "Stands between an S3 client and its store, forwards byte for byte, and fails by script.",
    discussion: """
      Prints its ports as one line of JSON, {"port": …, "control": …}, and runs until SIGTERM or SIGINT.

      fault-proxy --to 127.0.0.1:8333 --latency 20ms
      fault-proxy --to 127.0.0.1:8333 --rules rules.json --control 127.0.0.1:0

      rules.json is a list; of the rules that match a request the first decides, pauses add up:
        [{"match": {"operation": "PutObject", "keyPrefix": "a/", "every": 3}, "fault": {"loseAnswer": {}}},
         {"match": {"probability": 0.01}, "fault": {"refuse": {"code": "SlowDown", "retryAfter": 1}}}]

      Conditions: method, operation, keyPrefix, keyPattern (shell pattern), query (parameters and values, "" for any),
      nth, every, times, probability.
      Faults before the store: refuse {code, status, retryAfter, region}, reset, close, resetDuringRequest {bytes},
      stall {seconds}, latency {seconds, jitter}, corruptRequest {byte}.
      Faults behind it: loseAnswer, replaceAnswer {code, status}, stallAnswer {bytes, seconds}, truncateAnswer {bytes},
      resetAnswer {bytes}, misstateLength {by}, corruptAnswer {byte}.

      On the control port: GET and PUT /rules, GET and DELETE /events, GET /counters, such as
        curl -T rules.json http://127.0.0.1:PORT/rules
      """)

  @Option(help: "Where to listen, HOST:PORT; port 0 for any free one.")
  var listen = "127.0.0.1:0"

  @Option(help: "The store, HOST:PORT.")
  var to: String

  @Option(help: "File of rules, JSON.")
  var rules: String?

  @Option(help: "Where to listen for control requests, HOST:PORT.")
  var control: String?

  @Option(help: "A pause before each request, such as 20ms or 1.5s.")
  var latency: Pause?

  @Option(help: "At most so much more, chosen at random for each request.")
  var jitter: Pause?

  @Option(help: "What random choices are drawn from.")
  var seed: UInt64 = 1

  func run() throws {
    // Blocked before any thread begins, so that all have them blocked and sigwait gets them.
    var ends = sigset_t()
    sigemptyset(&ends)
    sigaddset(&ends, SIGTERM)
    sigaddset(&ends, SIGINT)
    sigprocmask(SIG_BLOCK, &ends, nil)

    var script: [FaultRule] = []
    if let rules {
      guard let bytes = try? Data(contentsOf: URL(filePath: rules)) else {
        throw ValidationError("\(rules) cannot be read")
      }
      script = try FaultRule.list(fromJSON: Array(bytes))
    }
    if latency != nil || jitter != nil {
      script.append(FaultRule(.latency(seconds: latency?.seconds ?? 0, jitter: jitter?.seconds)))
    }
    let proxy = try FaultProxy(to: SocketAddress(to), at: SocketAddress(listen), rules: script, seed: seed)
    let server = try control.map { try ControlServer(of: proxy, at: SocketAddress($0)) }
    print("{\"port\": \(proxy.port)\(server.map { ", \"control\": \($0.port)" } ?? "")}")
    fflush(nil)
    var signal: Int32 = 0
    sigwait(&ends, &signal)
    server?.stop()
    proxy.stop()
  }
}

/// A length of time with its unit.
struct Pause: ExpressibleByArgument {
  let seconds: Double

  init?(argument: String) {
    let units: [(suffix: String, seconds: Double)] = [("ms", 0.001), ("us", 0.000001), ("s", 1)]
    guard let unit = units.first(where: { argument.hasSuffix($0.suffix) }),
      let value = Double(argument.dropLast(unit.suffix.count)), value >= 0, value < 86_400
    else { return nil }
    seconds = value * unit.seconds
  }
}
