// The kinds of object storage that the configuration format knows. To support another one, add it to `supported` and
// give it a store.

/// Kind of an object storage.
public enum StorageType: String, CaseIterable, Sendable {
  /// MinIO.
  case minio
  /// Any store that speaks the S3 protocol.
  case s3
  /// Amazon S3.
  case aws
  /// Google Cloud Storage through its S3-compatible interface.
  case gcp
  /// Google Cloud Storage through its own interface.
  case gcpnative
  /// Azure Blob Storage.
  case azure
  /// Aliyun OSS.
  case aliyun
  /// Tencent COS.
  case tencent
  /// Huawei OBS.
  case hwc
  /// A directory of this machine.
  case local

  /// The kinds that this release can use: those which speak plain S3, and directories.
  public static let supported: [StorageType] = [.minio, .s3, .aws, .local]

  /// Finds the kind by its name or one of the format's other names for it, without regard to case.
  public init?(name: String) {
    switch name.lowercased() {
    case "ali", "alibaba", "alicloud": self = .aliyun
    case "tc": self = .tencent
    case let other: self.init(rawValue: other)
    }
  }
}
