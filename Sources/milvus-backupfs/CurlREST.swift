// The engine's HTTP requests to Milvus, sent by libcurl.

import BackupEngine
import CurlHTTP

/// Sends requests through the HTTP engine that the stores use, too.
struct CurlREST: RESTTransport {
  let transport: any HTTPTransport
  /// PEM file of the authorities to trust; nil for the system's.
  let certificateAuthorityFile: String?

  /// Answers are small; a server that does not answer must not hold a backup up.
  private static let timeouts = HTTPTimeouts(connect: 5, stall: 30, total: 60)
  private static let longestAnswer = 16 << 20

  func send(_ url: String, bearer: String?, body: [UInt8]?) async throws -> RESTAnswer {
    var headers = [HTTPHeader("Accept", "application/json")]
    if body != nil { headers.append(HTTPHeader("Content-Type", "application/json")) }
    if let bearer { headers.append(HTTPHeader("Authorization", "Bearer \(bearer)")) }
    do {
      let answer = try await transport.send(
        HTTPRequest(
          body == nil ? .get : .post, url: url, headers: headers, body: body ?? [],
          maximumBodySize: Self.longestAnswer, timeouts: Self.timeouts,
          certificateAuthorityFile: certificateAuthorityFile))
      return RESTAnswer(status: answer.status, body: answer.body)
    } catch {
      if error.code == .cancelled { throw CancellationError() }
      throw error
    }
  }
}
