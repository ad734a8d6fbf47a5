import Testing

@testable import FaultProxy

@Suite struct ScriptTests {
  private func request(_ key: String = "a/b", operation: String = "PutObject") -> S3Request {
    S3Request(method: "PUT", operation: operation, bucket: "b", key: key, query: ["partNumber": "2", "flag": ""])
  }

  private func hits(_ match: FaultRule.Match, count: Int = 12) -> [Int] {
    var script = FaultScript(rules: [FaultRule(.reset, on: match)])
    return (1...count).filter { _ in script.decide(request()).fault != nil }
  }

  @Test func conditions() {
    typealias Match = FaultRule.Match
    for (match, isHit) in [
      (Match(), true), (Match(method: "PUT"), true), (Match(method: "GET"), false),
      (Match(operation: "PutObject"), true), (Match(operation: "UploadPart"), false), (Match(keyPrefix: "a/"), true),
      (Match(keyPrefix: "b"), false), (Match(keyPattern: "*b"), true), (Match(keyPattern: "a"), false),
      (Match(query: ["partNumber": "2"]), true), (Match(query: ["partNumber": "3"]), false),
      (Match(query: ["partNumber": "", "flag": ""]), true), (Match(query: ["uploads": ""]), false),
      (Match(method: "PUT", keyPrefix: "b"), false),
    ] {
      #expect(hits(match, count: 1) == (isHit ? [1] : []), "\(match)")
    }
  }

  @Test func counting() throws {
    #expect(hits(FaultRule.Match(nth: 3)) == [3])
    #expect(hits(FaultRule.Match(every: 4)) == [4, 8, 12])
    #expect(hits(FaultRule.Match(times: 2)) == [1, 2])
    #expect(hits(FaultRule.Match(every: 3, times: 2)) == [3, 6])
    #expect(hits(FaultRule.Match(probability: 0)) == [])
    #expect(hits(FaultRule.Match(probability: 1)).count == 12)
  }

  @Test func theFirstFaultDecidesAndPausesAddUp() {
    var script = FaultScript(rules: [
      FaultRule(.reset, on: FaultRule.Match(nth: 2)), FaultRule(.latency(seconds: 1)), FaultRule(.close),
      FaultRule(.latency(seconds: 2, jitter: 0.5)),
    ])
    let first = script.decide(request())
    #expect(first.fault == .close && first.rule == 2)
    #expect(first.delay >= 3 && first.delay < 3.5)
    #expect(script.decide(request()).fault == .reset)
  }

  @Test func chanceDependsOnSeedAndRequestOnly() {
    let rules = [FaultRule(.reset, on: FaultRule.Match(probability: 0.3))]
    func outcomes(_ keys: [String], seed: UInt64) -> [String: [Bool]] {
      var script = FaultScript(rules: rules, seed: seed)
      var outcomes: [String: [Bool]] = [:]
      for key in keys { outcomes[key, default: []].append(script.decide(request(key)).fault != nil) }
      return outcomes
    }
    let keys = (0..<2000).map { "key\($0 % 500)" }
    #expect(outcomes(keys, seed: 1) == outcomes(keys.sorted(), seed: 1))
    #expect(outcomes(keys, seed: 1) != outcomes(keys, seed: 2))
    let hit = outcomes(keys, seed: 3).values.joined().count { $0 }
    #expect((500...700).contains(hit), "\(hit) of 2000")
  }

  @Test func rulesFromJSON() throws {
    let json = """
      [{"match": {"operation": "PutObject", "keyPrefix": "a/", "every": 3}, "fault": {"loseAnswer": {}}},
       {"fault": {"refuse": {"code": "SlowDown", "retryAfter": 1}}},
       {"match": {"query": {"uploads": ""}}, "fault": {"truncateAnswer": {}}},
       {"match": {"probability": 0.5}, "fault": {"stallAnswer": {"bytes": 7, "seconds": 1.5}}}]
      """
    #expect(
      try FaultRule.list(fromJSON: Array(json.utf8)) == [
        FaultRule(.loseAnswer, on: FaultRule.Match(operation: "PutObject", keyPrefix: "a/", every: 3)),
        FaultRule(.refuse(code: "SlowDown", retryAfter: 1)),
        FaultRule(.truncateAnswer(), on: FaultRule.Match(query: ["uploads": ""])),
        FaultRule(.stallAnswer(bytes: 7, seconds: 1.5), on: FaultRule.Match(probability: 0.5)),
      ])
    for wrong in ["", "{}", "[{}]", "[{\"fault\": {\"unheard\": {}}}]", "[{\"fault\": {\"latency\": {}}}]"] {
      #expect(throws: FaultProxyError.self) { try FaultRule.list(fromJSON: Array(wrong.utf8)) }
    }
  }
}

@Suite struct HeadTests {
  private func request(_ line: String, _ headers: String = "") throws -> S3Request {
    S3Request(try #require(HTTPHead(Array("\(line) HTTP/1.1\r\nHost: h\r\n\(headers)\r\n".utf8))))
  }

  @Test(arguments: [
    ("GET /b/k", "GetObject"), ("HEAD /b/k", "HeadObject"), ("PUT /b/k", "PutObject"), ("DELETE /b/k", "DeleteObject"),
    ("POST /b/k?uploads=", "CreateMultipartUpload"), ("PUT /b/k?partNumber=1&uploadId=u", "UploadPart"),
    ("POST /b/k?uploadId=u", "CompleteMultipartUpload"), ("DELETE /b/k?uploadId=u", "AbortMultipartUpload"),
    ("GET /b?list-type=2", "ListObjectsV2"), ("GET /b/?list-type=2", "ListObjectsV2"), ("GET /b", "ListObjects"),
    ("GET /b?uploads", "ListMultipartUploads"), ("POST /b?delete=", "DeleteObjects"), ("HEAD /b", "HeadBucket"),
    ("PUT /b", "CreateBucket"), ("GET /b/k?uploadId=u", "ListParts"), ("OPTIONS /b/k", "OPTIONS"),
  ]) func operations(line: String, operation: String) throws {
    #expect(try request(line).operation == operation)
  }

  @Test func copiesAreKnownByTheirHeader() throws {
    #expect(try request("PUT /b/k", "X-Amz-Copy-Source: /b/s\r\n").operation == "CopyObject")
    #expect(try request("PUT /b/k?partNumber=1", "x-amz-copy-source: b/s\r\n").operation == "UploadPartCopy")
  }

  @Test func namesAreDecoded() throws {
    let odd = try request("GET /b%2D1/a%2Fb/%C3%A9%zz?prefix=x%20y&flag")
    #expect(odd.bucket == "b-1" && odd.key == "a/b/é%zz")
    #expect(odd.query == ["prefix": "x y", "flag": ""])
    #expect(try request("GET /b?list-type=2&prefix=p%2F").key == "p/")
  }

  @Test func anotherLengthChangesNothingElse() throws {
    let head = try #require(HTTPHead(Array("HTTP/1.1 200 OK\r\nA: 1\r\ncontent-LENGTH:  12\r\nB:2\r\n\r\n".utf8)))
    #expect(head.contentLength == 12)
    #expect(
      String(decoding: head.announcing(length: 9) ?? [], as: UTF8.self)
        == "HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 9\r\nB:2\r\n\r\n")
  }

  @Test(arguments: ["3\r\nabc\r\nA;q=1\r\n0123456789\r\n0\r\nT: v\r\n\r\n", "0\r\n\r\n"])
  func chunksEndWhereTheyEnd(body: String) {
    let bytes = Array((body + "next").utf8)
    for cut in 0...bytes.count {
      var framing = BodyFraming(.chunked)
      var counted = 0
      var content: [UInt8] = []
      for part in [bytes[..<cut], bytes[cut...]] {
        Array(part).withUnsafeBytes { part in
          let piece = framing.consume(part)
          counted += piece.count
          for range in piece.content { content += part[range] }
        }
      }
      #expect(framing.isEnded && counted == body.utf8.count, "cut at \(cut)")
      #expect(String(decoding: content, as: UTF8.self) == (body.hasPrefix("3") ? "abc0123456789" : ""))
    }
  }
}
