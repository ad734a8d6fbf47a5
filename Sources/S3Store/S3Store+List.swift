// ListObjectsV2 and buckets.

import CurlHTTP
import ObjectStore

extension S3Store {
  /// ListObjectsV2. S3 answers with at most 1,000 keys whatever the limit.
  public func list(_ request: ListRequest) async throws -> ListPage {
    var call = S3Call("ListObjectsV2", .get)
    call.isDocument = true
    call.query = [
      ("list-type", "2"), ("encoding-type", "url"), ("max-keys", String(min(max(request.limit, 1), 1000))),
    ]
    if request.prefix.byteCount > 0 { call.query.append(("prefix", request.prefix.string)) }
    if request.groupedByDirectory { call.query.append(("delimiter", "/")) }
    if let continuation = request.continuation { call.query.append(("continuation-token", continuation)) }
    let response = try await success(of: call)
    let page: ListPage
    do {
      page = try ListAnswer(response.body).page
    } catch {
      throw notS3(response, reason: error.reason, call)
    }
    if let continuation = page.continuation, continuation == request.continuation {
      throw violation("a listing that continues where it began", call)
    }
    return page
  }

  /// Creates the bucket unless it is there.
  /// - Throws: `StoreError` `.accessDenied` when the bucket is someone else's or may not be created.
  public func createBucketIfMissing() async throws {
    if try await bucketExists() { return }
    var call = S3Call("CreateBucket", .put)
    call.condition = .write
    // us-east-1 is the region of a bucket created without saying where, and may not be said.
    if identity.region != "us-east-1" {
      let region = XMLEntities.escaped(identity.region)
      call.body = Array(
        """
        <CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">\
        <LocationConstraint>\(region)</LocationConstraint></CreateBucketConfiguration>
        """.utf8)
    }
    guard case .refusal(let refusal) = try await answer(to: call) else { return }
    // Somebody else may have created it meanwhile, perhaps another part of this very program.
    if refusal.status == 409, try await bucketExists() { return }
    throw error(refusal, for: call)
  }

  private func bucketExists() async throws(StoreError) -> Bool {
    let call = S3Call("HeadBucket", .head)
    switch try await answer(to: call) {
    case .success: return true
    case .refusal(let refusal):
      if refusal.code == "NoSuchBucket" { return false }
      throw error(refusal, for: call)
    }
  }
}

extension S3Call {
  /// A GET of the same thing that transfers next to nothing, for the document that a HEAD's refusal lacks.
  var asProbe: S3Call {
    var probe = self
    probe.method = .get
    if key == nil {
      probe.query = [("list-type", "2"), ("max-keys", "1")]
    } else {
      probe.headers.append(HTTPHeader("Range", "bytes=0-0"))
    }
    return probe
  }
}
