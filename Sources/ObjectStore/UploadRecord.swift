// What is written down of one unfinished upload: enough to find it again, and to tell whether somebody still works on it.

import FoundationEssentials

/// One unfinished upload as a file of the journal tells it. Holds no secret.
public struct UploadRecord: Codable, Sendable, Hashable {
  /// Where the upload stands.
  public enum State: String, Codable, Sendable {
    /// About to be begun; the store may or may not have done so.
    case intended
    /// Begun, and worked on by its process.
    case begun
    /// Nobody works on it any more, though it could not be removed: its name never came, or its abort failed.
    case lost
  }

  /// Kind of the store.
  public var provider: String
  /// The service.
  public var endpoint: String
  /// The bucket.
  public var bucket: String
  /// The object that it was to become.
  public var key: String
  /// The store's name for it; nil until the store has told it.
  public var uploadID: String?
  /// Where it stands.
  public var state: State
  /// Who began it.
  public var process: ProcessMark
  /// When, in whole seconds since 1970, UTC, by this machine.
  public var time: Int64

  /// The place.
  public var location: StoreLocation { StoreLocation(provider: provider, endpoint: endpoint, bucket: bucket) }

  /// The handle, once it has a name.
  public var upload: MultipartUpload? { uploadID.map { MultipartUpload(key: ObjectKey(key), id: $0) } }
}
