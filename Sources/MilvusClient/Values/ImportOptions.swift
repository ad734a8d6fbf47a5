// Options of the Import call, in the spelling Milvus and the official tool use.

/// How Import is to read the given directories.
public struct ImportOptions: Sendable, Hashable {
  /// The paths are an insert-log and a delta-log directory of a backup: `backup=true`.
  public var backup: Bool
  /// The paths are directories of delete-only segments (2.4 and later): `l0_import=true`.
  public var l0Import: Bool
  /// Do not check the disk quota: `skip_disk_quota_check=true`. Servers that do not know it ignore it.
  public var skipDiskQuotaCheck: Bool
  /// Leave out rows written later: `end_ts`. Milliseconds up to 2.4.23 and 2.5.5, a hybrid timestamp in later servers
  /// (Milvus' release notes of 2.4.24, issue 40326); not used, since a backup holds nothing newer than itself.
  public var endTimestamp: UInt64?
  /// Storage format of the segments, sent if greater than 0: `storage_version`.
  public var storageVersion: Int64
  /// Wrapped key of an encrypted database: `ezk`.
  public var encryptionKey: String?

  /// Options of an ordinary restore.
  public init(
    backup: Bool = true, l0Import: Bool = false, skipDiskQuotaCheck: Bool = true, endTimestamp: UInt64? = nil,
    storageVersion: Int64 = 0, encryptionKey: String? = nil
  ) {
    self.backup = backup
    self.l0Import = l0Import
    self.skipDiskQuotaCheck = skipDiskQuotaCheck
    self.endTimestamp = endTimestamp
    self.storageVersion = storageVersion
    self.encryptionKey = encryptionKey
  }

  /// The pairs to send.
  public var pairs: [MilvusKeyValue] {
    var pairs: [MilvusKeyValue] = []
    if skipDiskQuotaCheck { pairs.append(MilvusKeyValue(key: "skip_disk_quota_check", value: "true")) }
    if backup { pairs.append(MilvusKeyValue(key: "backup", value: "true")) }
    if l0Import { pairs.append(MilvusKeyValue(key: "l0_import", value: "true")) }
    if let endTimestamp { pairs.append(MilvusKeyValue(key: "end_ts", value: String(endTimestamp))) }
    if storageVersion > 0 { pairs.append(MilvusKeyValue(key: "storage_version", value: String(storageVersion))) }
    if let encryptionKey { pairs.append(MilvusKeyValue(key: "ezk", value: encryptionKey)) }
    return pairs
  }
}
