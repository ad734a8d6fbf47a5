// The values that pass between a store and its users. None of them knows a provider.

/// Which bucket of which service: what decides whether two stores can copy between each other on the server's side.
public struct StoreLocation: Sendable, Hashable, CustomStringConvertible {
  /// Protocol family, such as `s3` or `memory`.
  public var provider: String
  /// Scheme, host and port in one canonical spelling, such as `http://127.0.0.1:9000`.
  public var endpoint: String
  /// Bucket or container.
  public var bucket: String

  /// Makes a location from its parts.
  public init(provider: String, endpoint: String, bucket: String) {
    self.provider = provider
    self.endpoint = endpoint
    self.bucket = bucket
  }

  /// Whether the two can copy between each other on the server's side.
  public func isSameService(as other: StoreLocation) -> Bool {
    endpoint == other.endpoint && provider == other.provider
  }

  /// For messages: bucket and service; a bucket that is a path says all by itself.
  public var description: String { bucket.hasPrefix("/") ? bucket : "bucket \(bucket) at \(endpoint)" }
}

/// A store's opaque name for one version of an object, quotes included if the store sends them.
///
/// Never compared across stores: stores compute it differently, above all for multipart uploads.
public struct ETag: Sendable, Hashable, CustomStringConvertible {
  /// The text as the store sent it.
  public let rawValue: String
  /// Wraps the store's text.
  public init(_ rawValue: String) { self.rawValue = rawValue }
  /// The store's text.
  public var description: String { rawValue }
}

/// What a listing or a HEAD says about an object.
public struct ObjectInfo: Sendable, Hashable {
  /// The object's key.
  public var key: ObjectKey
  /// Bytes.
  public var size: Int64
  /// The version seen.
  public var etag: ETag
  /// Last modification in whole seconds since 1970, UTC.
  public var modified: Int64

  /// Makes the description of one object.
  public init(key: ObjectKey, size: Int64, etag: ETag, modified: Int64) {
    self.key = key
    self.size = size
    self.etag = etag
    self.modified = modified
  }
}

/// Which page of which keys.
public struct ListRequest: Sendable, Hashable {
  /// Only keys that begin so.
  public var prefix: ObjectKey
  /// With true, keys are cut at the first `/` behind the prefix and each cut name is reported once (`directories`).
  public var groupedByDirectory: Bool
  /// Where the last page ended; nil for the first page.
  public var continuation: String?
  /// At most so many objects and directories; a store may answer with fewer, 1,000 is S3's bound.
  public var limit: Int

  /// Makes a request for one page.
  public init(prefix: ObjectKey, groupedByDirectory: Bool = false, continuation: String? = nil, limit: Int = 1000) {
    self.prefix = prefix
    self.groupedByDirectory = groupedByDirectory
    self.continuation = continuation
    self.limit = limit
  }
}

/// One page of a listing.
public struct ListPage: Sendable, Hashable {
  /// Objects in bytewise key order.
  public var objects: [ObjectInfo]
  /// Prefixes that end in `/`, in bytewise order; empty unless grouping was asked for.
  public var directories: [ObjectKey]
  /// Pass on to get the next page; nil on the last one.
  public var continuation: String?
  /// Whether the store itself listed in bytewise order. Pages are put in order if not, and may then go back and forth
  /// between each other.
  public var isOrdered = true

  /// Makes a page.
  public init(objects: [ObjectInfo], directories: [ObjectKey] = [], continuation: String? = nil) {
    self.objects = objects
    self.directories = directories
    self.continuation = continuation
  }
}

/// An object's bytes, or a range of them, with what the store said about the whole object.
public struct ObjectContent: Sendable {
  /// The whole object's description, whatever range was asked for.
  public var info: ObjectInfo
  /// The bytes asked for.
  public var bytes: [UInt8]

  /// Makes a content.
  public init(info: ObjectInfo, bytes: [UInt8]) {
    self.info = info
    self.bytes = bytes
  }
}

/// What must hold in the store at the moment of writing; otherwise the write fails with `.preconditionFailed`.
public enum WriteCondition: Sendable, Hashable {
  /// Overwrite whatever is there.
  case none
  /// Only create (`If-None-Match: *`).
  case absent
}

/// A multipart upload under way.
public struct MultipartUpload: Sendable, Hashable {
  /// The key it will become.
  public var key: ObjectKey
  /// The store's name for it.
  public var id: String
  /// Whether it was begun for parts that are streamed. False for one that was found in a listing.
  public var isStreaming: Bool

  /// Makes a handle.
  public init(key: ObjectKey, id: String, isStreaming: Bool = false) {
    self.key = key
    self.id = id
    self.isStreaming = isStreaming
  }
}

/// Which page of which unfinished uploads.
public struct UploadListRequest: Sendable, Hashable {
  /// Only uploads whose key begins so.
  public var prefix: ObjectKey
  /// Where the last page ended; nil for the first page.
  public var continuation: Continuation?

  /// A place in a listing of uploads: several can have the same key.
  public struct Continuation: Sendable, Hashable {
    /// Key of the last upload seen.
    public var key: String
    /// Its id.
    public var id: String

    /// Makes a place.
    public init(key: String, id: String) {
      self.key = key
      self.id = id
    }
  }

  /// Makes a request for one page.
  public init(prefix: ObjectKey, continuation: Continuation? = nil) {
    self.prefix = prefix
    self.continuation = continuation
  }
}

/// One page of unfinished uploads.
public struct UploadPage: Sendable, Hashable {
  /// The uploads.
  public var uploads: [PendingUpload]
  /// Pass on to get the next page; nil on the last one.
  public var continuation: UploadListRequest.Continuation?

  /// Makes a page.
  public init(uploads: [PendingUpload], continuation: UploadListRequest.Continuation? = nil) {
    self.uploads = uploads
    self.continuation = continuation
  }
}

/// A multipart upload that is neither completed nor aborted.
public struct PendingUpload: Sendable, Hashable {
  /// Its handle.
  public var upload: MultipartUpload
  /// When it was begun, in whole seconds since 1970, UTC, by the store's clock.
  public var begun: Int64

  /// Makes the description of an upload.
  public init(upload: MultipartUpload, begun: Int64) {
    self.upload = upload
    self.begun = begun
  }
}

/// One part that the store has acknowledged.
public struct UploadedPart: Sendable, Hashable {
  /// 1…10,000.
  public var number: Int
  /// What the store answered.
  public var etag: ETag
  /// Bytes.
  public var size: Int64
  /// CRC32C of the part in base64, where it was computed and the store took it.
  public var checksum: String?

  /// Makes a part.
  public init(number: Int, etag: ETag, size: Int64, checksum: String? = nil) {
    self.number = number
    self.etag = etag
    self.size = size
    self.checksum = checksum
  }
}

/// Sizes a store prescribes for multipart uploads and single requests.
public struct UploadLimits: Sendable, Hashable {
  /// Every part but the last has at least so many bytes.
  public var minimumPartSize: Int
  /// Most parts of one upload.
  public var maximumParts: Int
  /// Largest object of one PUT or one server-side copy.
  public var maximumSinglePut: Int64

  /// Makes limits; the defaults are those of the S3 API reference.
  public init(minimumPartSize: Int = 5 << 20, maximumParts: Int = 10_000, maximumSinglePut: Int64 = 5 << 30) {
    self.minimumPartSize = minimumPartSize
    self.maximumParts = maximumParts
    self.maximumSinglePut = maximumSinglePut
  }
}

extension ETag {
  /// Whether it looks like an MD5 sum: 32 hexadecimal digits, or 32 and a number of parts. That is what S3 prescribes
  /// without encryption by KMS or by customers' keys, whose ETags are no sums of anything.
  public var isMD5: Bool {
    let digits = rawValue.utf8.filter { $0 != UInt8(ascii: "\"") }
    let sum = digits.prefix { $0 != UInt8(ascii: "-") }
    guard sum.count == 32, sum.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return false }
    let parts = digits.dropFirst(33)
    return digits.count == 32 || (!parts.isEmpty && parts.allSatisfy { (48...57).contains($0) })
  }
}
