import ObjectStore
import Testing

@testable import S3Store

/// Encodings, dates, checksums, addresses: the small values of the protocol.
@Suite struct ValueTests {
  @Test(arguments: [
    (Int64(0), "19700101T000000Z"), (951_782_399, "20000228T235959Z"), (951_782_400, "20000229T000000Z"),
    (1_772_323_199, "20260228T235959Z"), (4_107_542_400, "21000301T000000Z"), (-1, "19691231T235959Z"),
  ])
  func timeIsWrittenInTheFormOfSignatures(seconds: Int64, text: String) {
    #expect(Timestamp.basicISO8601(seconds) == text)
  }

  @Test(arguments: [
    ("1970-01-01T00:00:00Z", Int64(0)), ("2026-11-23T12:30:32.491Z", 1_795_437_032),
    ("2000-02-29T23:59:59.000Z", 951_868_799),
    ("2026-11-23T12:30:32Z", 1_795_437_032),
  ])
  func timeOfListingsIsRead(text: String, seconds: Int64) {
    #expect(Timestamp.parseISO8601(text.utf8) == seconds)
  }

  @Test(arguments: [
    "", "2026-11-23", "2026-11-23T12:30:32", "2026-13-23T12:30:32Z", "2026-11-23T25:30:32Z", "x026-11-23T12:30:32Z",
    "2026-11-23T12:30:32+01:00",
  ])
  func otherTimesOfListingsAreRefused(text: String) {
    #expect(Timestamp.parseISO8601(text.utf8) == nil)
  }

  @Test func timeOfHeadersIsRead() {
    #expect(Timestamp.parseHTTP("Mon, 23 Nov 2026 12:30:32 GMT") == 1_795_437_032)
    #expect(Timestamp.parseHTTP("Sun, 06 Nov 1994 08:49:37 GMT") == 784_111_777)
    for text in [
      "", "Monday, 23-Nov-26 12:30:32 GMT", "Mon, 23 Foo 2026 12:30:32 GMT", "Mon, 23 Nov 2026 12:30:32 CET",
    ] {
      #expect(Timestamp.parseHTTP(text) == nil)
    }
  }

  @Test func everyDayOfFourCenturiesIsReadAsItIsWritten() {
    for day in stride(from: Int64(-36_525), to: 109_575, by: 1) {
      let text = Array(Timestamp.basicISO8601(day * 86_400 + 3661))
      let spelled =
        "\(String(text[0..<4]))-\(String(text[4..<6]))-\(String(text[6..<8]))T\(String(text[9..<11])):"
        + "\(String(text[11..<13])):\(String(text[13..<15]))Z"
      guard Timestamp.parseISO8601(spelled.utf8) == day * 86_400 + 3661 else {
        Issue.record("day \(day) is written as \(spelled)")
        return
      }
    }
  }

  @Test(
    arguments: [
      ("", 0), ("123456789", 0xE306_9283), ("a", 0xC1D0_4330), (String(repeating: "\0", count: 32), 0x8A91_36AA),
    ] as [(String, UInt32)])
  func checksumIsThatOfThePublishedVectors(text: String, checksum: UInt32) {
    #expect(CRC32C.checksum(Array(text.utf8)) == checksum)
    #expect(CRC32C.portableChecksum(Array(text.utf8)) == checksum)
  }

  @Test func checksumOfTheProcessorIsThatOfTheTables() {
    var generator = SystemRandomNumberGenerator()
    let bytes = (0..<70_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
    for count in Array(0..<50) + [1023, 1024, 3071, 3072, 3073, 6143, 6144, 6151, 65_536, 70_000] {
      let slice = Array(bytes.suffix(count))
      #expect(CRC32C.checksum(slice) == CRC32C.portableChecksum(slice), "\(count) bytes")
      let half = count / 3
      let joined = CRC32C.checksum(Array(slice[half...]), continuing: CRC32C.checksum(Array(slice[..<half])))
      #expect(joined == CRC32C.checksum(slice), "\(count) bytes in two pieces")
    }
  }

  @Test func checksumIsSpelledInBase64() {
    #expect(CRC32C.base64(0xE306_9283) == "4waSgw==")
    #expect(CRC32C.base64(0) == "AAAAAA==")
    for value: UInt32 in [0, 1, 0xE306_9283, .max, 0x8000_0000, 0xFB_EFBE] {
      #expect(CRC32C.fromBase64(CRC32C.base64(value)) == value)
    }
    for text in ["", "4waSgw", "4waSgw=", "4waSg!==", "4waSgw==-2"] { #expect(CRC32C.fromBase64(text) == nil) }
  }

  @Test func multipartChecksumIsTheChecksumOfChecksums() {
    let part = UploadedPart(number: 1, etag: ETag("a"), size: 1, checksum: "4waSgw==")
    // CRC32C of the bytes e3 06 92 83 twice.
    let expected = CRC32C.base64(CRC32C.portableChecksum([0xE3, 0x06, 0x92, 0x83, 0xE3, 0x06, 0x92, 0x83]))
    #expect(S3Store.compositeChecksum(of: [part, part]) == "\(expected)-2")
    #expect(S3Store.compositeChecksum(of: [part, UploadedPart(number: 2, etag: ETag("b"), size: 1)]) == nil)
  }

  @Test func formEncodingOfListingsIsUndone() {
    func decoded(_ text: String) -> String? {
      PercentEncoding.decodedForm(Array(text.utf8)[...]).map { String(decoding: $0, as: UTF8.self) }
    }
    #expect(decoded("a+b%2Bc%25d/%C3%A9") == "a b+c%d/é")
    #expect(decoded("") == "")
    for text in ["%", "%2", "%zz", "a%2"] { #expect(decoded(text) == nil) }
  }

  @Test func contentRangeIsReadAndNonsenseRefused() {
    #expect(ContentRange("bytes 0-9/20")?.range == 0..<10)
    #expect(ContentRange("bytes 5-5/6")?.total == 6)
    for text in ["", "bytes */5", "bytes 0-9/*", "bytes 9-0/20", "bytes 0-20/20", "items 0-1/2", "bytes 0-9"] {
      #expect(ContentRange(text) == nil)
    }
  }

  @Test func entityTagsAreEqualHoweverTheyAreQuoted() {
    #expect(ETag(normalizing: "abc") == ETag(normalizing: "\"abc\""))
    #expect(ETag(normalizing: "W/\"abc\"").rawValue == "W/\"abc\"")
    #expect(ETag("\"abc-12\"").partCount == 12)
    #expect(ETag("\"abc\"").partCount == nil)
  }

  @Test func partsOfACopyStayBelowTheirMaximumNumber() {
    for size: Int64 in [5 << 30, (5 << 30) + 1, 5 << 40, 48 << 40] {
      let partSize = S3Store.copyPartSize(size)
      #expect((size + partSize - 1) / partSize <= 10_000)
      #expect(partSize >= 5 << 20)
    }
  }

  @Test func credentialsShowNothingOfThemselves() {
    let credentials = S3Credentials(accessKeyID: "AKIDX", secretAccessKey: "hush", sessionToken: "tok")
    var dumped = ""
    dump(credentials, to: &dumped)
    let configuration = S3Configuration(usesTLS: false, host: "h", bucket: "b", credentials: credentials)
    var all = "\(credentials) \(String(reflecting: credentials)) \(dumped) \(configuration)"
    dump(configuration, to: &all)
    for secret in ["hush", "tok\"", "AKIDX"] { #expect(!all.contains(secret)) }
  }

  @Test(arguments: [
    (
      "s3.eu-west-1.amazonaws.com", "bucket", "https://bucket.s3.eu-west-1.amazonaws.com/k",
      S3Configuration.Addressing.automatic
    ),
    ("s3.eu-west-1.amazonaws.com", "a.b", "https://s3.eu-west-1.amazonaws.com/a.b/k", .automatic),
    ("minio.example", "bucket", "https://minio.example/bucket/k", .automatic),
    ("minio.example", "bucket", "https://bucket.minio.example/k", .virtualHost),
    ("s3.amazonaws.com", "bucket", "https://s3.amazonaws.com/bucket/k", .path),
    ("::1", "bucket", "https://[::1]/bucket/k", .automatic),
  ])
  func bucketGoesWhereTheServiceExpectsIt(
    host: String, bucket: String, url: String, addressing: S3Configuration.Addressing
  ) {
    let credentials = S3Credentials(accessKeyID: "a", secretAccessKey: "b")
    let configuration = S3Configuration(
      usesTLS: true, host: host, port: 443, bucket: bucket, credentials: credentials, addressing: addressing)
    #expect(S3Endpoint(configuration).target(bucket: bucket, key: "k", query: []).url == url)
  }
}
