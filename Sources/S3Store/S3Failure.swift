// What S3's error codes mean to a user of the store, and what the operator can do about them.

import ObjectStore

/// The meaning of a refusal.
struct S3Failure {
  /// The store's code.
  var code: StoreError.Code
  /// Our own words before the service's, if its alone do not say it.
  var summary = ""
  /// What to do.
  var remedy = ""
  /// Whether asking again can help.
  var isTransient = false

  /// Looks a refusal up.
  init(_ refusal: S3Refusal, call: S3Call, names: S3SettingNames, isAnonymous: Bool = false) {
    self = Self.byCode(refusal, call: call, names: names, isAnonymous) ?? Self.byStatus(refusal, names: names)
  }

  private init(
    _ code: StoreError.Code, _ summary: String = "", remedy: String = "", isTransient: Bool = false
  ) {
    self.code = code
    self.summary = summary
    self.remedy = remedy
    self.isTransient = isTransient
  }

  private static func byCode(
    _ refusal: S3Refusal, call: S3Call, names: S3SettingNames, _ isAnonymous: Bool
  ) -> S3Failure? {
    identity(refusal, call: call, names: names, isAnonymous) ?? object(refusal, call: call, names: names)
      ?? service(refusal)
  }

  /// Who asks, and whether they may.
  private static func identity(
    _ refusal: S3Refusal, call: S3Call, names: S3SettingNames, _ isAnonymous: Bool
  ) -> S3Failure? {
    switch refusal.code {
    case "InvalidAccessKeyId":
      return S3Failure(
        .accessDenied, "the store does not know this access key",
        remedy: "Check \(names.accessKeyID) (and \(names.address): another store has other keys).")
    case "SignatureDoesNotMatch":
      return S3Failure(
        .accessDenied, "the secret does not belong to the access key",
        remedy: "Check \(names.secretAccessKey) and \(names.accessKeyID).")
    case "AccessDenied" where isAnonymous, "Forbidden" where isAnonymous:
      return S3Failure(
        .accessDenied, "the store does not give this to everybody, and there are no keys",
        remedy: "Set \(names.accessKeyID) and \(names.secretAccessKey).")
    case "AccessDenied", "AllAccessDisabled", "AccountProblem", "Forbidden", "NotSignedUp", "Unauthorized":
      return S3Failure(
        .accessDenied, "these credentials may not do this",
        remedy: "Grant \(permission(for: call.operation)) on the bucket to the access key of \(names.accessKeyID).")
    case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired":
      return S3Failure(
        .credentialsExpired, "the temporary credentials have run out",
        remedy: "Put fresh ones into \(names.accessKeyID), \(names.secretAccessKey) and \(names.token).")
    case "InvalidToken", "InvalidClientTokenId", "InvalidSecurity":
      return S3Failure(
        .accessDenied, "the session token is not accepted", remedy: "Check \(names.token); it may have to be empty.")
    case "RequestTimeTooSkewed", "RequestExpired":
      return S3Failure(
        .accessDenied, "the clocks of this machine and of the store differ too much",
        remedy: "Set this machine's clock, or the store's.")
    case "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "InvalidRegion":
      return S3Failure(.accessDenied, "the store expects another region", remedy: "Check \(names.region).")
    default:
      return nil
    }
  }

  /// The bucket, the object, the request.
  private static func object(_ refusal: S3Refusal, call: S3Call, names: S3SettingNames) -> S3Failure? {
    switch refusal.code {
    case "NoSuchKey", "NoSuchVersion":
      return S3Failure(.notFound, "there is no such object")
    case "NoSuchBucket", "InvalidBucketName":
      return S3Failure(.bucketNotFound, "there is no such bucket", remedy: "Check \(names.bucketName), or create it.")
    case "PermanentRedirect", "TemporaryRedirect", "Redirect":
      return S3Failure(
        .bucketNotFound, "the bucket is served by another address",
        remedy: "Set \(names.address)\(refusal.region.map { " to the address of region \($0)" } ?? "").")
    case "BucketAlreadyExists":
      return S3Failure(
        .accessDenied, "the bucket belongs to somebody else", remedy: "Choose another \(names.bucketName).")
    case "NoSuchUpload", "InvalidPart", "InvalidPartOrder":
      return S3Failure(.uploadNotFound)
    case "PreconditionFailed":
      return call.condition == .write
        ? S3Failure(.preconditionFailed, "an object of this name exists")
        : S3Failure(.changed, "the object is not the version that was asked for")
    case "ConditionalRequestConflict":
      return S3Failure(.preconditionFailed, "another write of this object was under way", isTransient: true)
    case "EntityTooLarge", "MaxMessageLengthExceeded":
      return S3Failure(.tooLarge)
    case "QuotaExceeded", "StorageFull", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "InsufficientStorage":
      return S3Failure(.noSpace, "the store is full or its quota used up", remedy: "Free space or raise the quota.")
    case "InvalidObjectState":
      return S3Failure(.unsupported, "the object is archived", remedy: "Restore it from the archive class first.")
    case "BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch":
      return S3Failure(.corrupted, "the bytes that arrived are not those that were sent", isTransient: true)
    case "KeyTooLongError", "InvalidURI", "XMinioInvalidObjectName", "InvalidObjectName", "InvalidRequest",
      "InvalidArgument", "MethodNotAllowed", "NotImplemented", "EntityTooSmall", "MalformedXML":
      return S3Failure(.unsupported)
    default:
      return nil
    }
  }

  /// The service's own troubles.
  private static func service(_ refusal: S3Refusal) -> S3Failure? {
    switch refusal.code {
    case "SlowDown", "SlowDownRead", "SlowDownWrite", "Throttling", "ThrottlingException", "TooManyRequests",
      "RequestLimitExceeded", "BandwidthLimitExceeded", "ServiceUnavailable":
      return S3Failure(.throttled, "the store asks for fewer requests", isTransient: true)
    case "RequestTimeout":
      return S3Failure(.timedOut, "the store waited too long for the request", isTransient: true)
    case "IncompleteBody":
      return S3Failure(.connectionLost, "the store got only a part of the request", isTransient: true)
    case "InternalError", "OperationAborted":
      return S3Failure(.serverError, "the store failed inside", isTransient: true)
    default:
      return nil
    }
  }

  /// For codes not in the tables above, and answers that are not S3's.
  private static func byStatus(_ refusal: S3Refusal, names: S3SettingNames) -> S3Failure {
    let isS3 = !refusal.code.isEmpty
    switch refusal.status {
    case 429: return S3Failure(.throttled, isTransient: true)
    case 501: return S3Failure(.unsupported)
    case 507: return S3Failure(.noSpace)
    case 500...599: return S3Failure(.serverError, "the store failed inside", isTransient: true)
    case 413: return S3Failure(.tooLarge)
    case 401 where isS3, 403 where isS3: return S3Failure(.accessDenied, remedy: "Check \(names.accessKeyID).")
    case 404 where isS3: return S3Failure(.notFound)
    // An error document behind a success: what it is about is over, and may go better next time.
    case 200...299: return S3Failure(.serverError, "the store failed inside", isTransient: true)
    default:
      return isS3
        ? S3Failure(.unsupported)
        : S3Failure(
          .protocolViolation, "what answers there is not an S3 service",
          remedy: "Check \(names.address), \(names.port) and \(names.useSSL).")
    }
  }

  /// The permission by its name in S3 policies.
  private static func permission(for operation: String) -> String {
    switch operation {
    case "ListObjectsV2", "HeadBucket": "s3:ListBucket"
    case "GetObject", "HeadObject": "s3:GetObject (and s3:ListBucket, to tell absent objects from forbidden ones)"
    case "DeleteObject", "DeleteObjects": "s3:DeleteObject"
    case "ListMultipartUploads": "s3:ListBucketMultipartUploads"
    case "AbortMultipartUpload": "s3:AbortMultipartUpload"
    case "CreateBucket": "s3:CreateBucket"
    case "CopyObject", "UploadPartCopy": "s3:GetObject on the source and s3:PutObject"
    default: "s3:PutObject"
    }
  }
}

extension S3Refusal {
  /// Whether the refusal can be due to a signature for the wrong region.
  /// - Parameter signed: the region that was signed for.
  func isAboutRegion(signed: String) -> Bool {
    switch code {
    case "AuthorizationHeaderMalformed", "PermanentRedirect", "IllegalLocationConstraintException", "BadRequest",
      "InvalidRegion":
      return true
    default:
      // Amazon names the region with every refusal; a new signature helps only if it is another one.
      return status == 301 || status == 307 || (status == 403 && region != signed)
    }
  }
}
