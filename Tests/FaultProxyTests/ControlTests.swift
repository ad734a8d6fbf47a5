import Testing

@testable import FaultProxy

@Suite(.timeLimit(.minutes(1))) struct ControlTests {
  private func ask(_ port: Int, _ line: String, _ body: String = "") throws -> RawMessage {
    let client = try RawSocket(port: port)
    client.send("\(line) HTTP/1.1\r\nHost: h\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
    return try client.readMessage()
  }

  @Test func rulesAreChangedAndEventsReadWhileItRuns() throws {
    let server = try RawServer()
    let proxy = try proxy(server)
    let control = try ControlServer(of: proxy, at: SocketAddress(host: "127.0.0.1", port: 0))
    let client = try RawSocket(port: proxy.port)
    func status() throws -> String {
      client.send("GET /b/k HTTP/1.1\r\nHost: h\r\n\r\n")
      return try client.readMessage().firstLine
    }
    #expect(try status() == "HTTP/1.1 200 OK")
    #expect(try ask(control.port, "GET /rules").text == "[]\n")
    let rules = "[{\"fault\": {\"refuse\": {\"code\": \"SlowDown\"}}}]"
    #expect(try ask(control.port, "PUT /rules", rules).firstLine == "HTTP/1.1 200 OK")
    #expect(try status() == "HTTP/1.1 503 Service Unavailable")
    #expect(proxy.rules == [.always(.refuse(code: "SlowDown"))])
    let events = try ask(control.port, "GET /events").text
    #expect(events.contains("\"operation\":\"GetObject\"") && events.contains("SlowDown"))
    #expect(try ask(control.port, "GET /counters").text.contains("\"requests\":2"))
    #expect(try ask(control.port, "DELETE /events").firstLine == "HTTP/1.1 204 No Content")
    #expect(try ask(control.port, "GET /events").text == "[]\n")
    for wrong in ["nonsense", "[{\"fault\": {\"unheard\": {}}}]"] {
      #expect(try ask(control.port, "PUT /rules", wrong).firstLine == "HTTP/1.1 400 Bad Request")
    }
    #expect(proxy.rules.count == 1, "wrong rules change nothing")
    #expect(try ask(control.port, "GET /nothing").firstLine == "HTTP/1.1 404 Not Found")
    control.stop()
  }
}
