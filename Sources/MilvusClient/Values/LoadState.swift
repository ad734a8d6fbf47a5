// Whether a collection is in memory.

/// `common.LoadState`. Unknown numbers pass through.
public struct LoadState: RawRepresentable, Sendable, Hashable {
  /// The number on the wire.
  public let rawValue: Int32
  /// The state with this number, known or not.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// The collection or partition does not exist.
  public static let notExist = LoadState(rawValue: 0)
  /// Not in memory.
  public static let notLoad = LoadState(rawValue: 1)
  /// On its way into memory.
  public static let loading = LoadState(rawValue: 2)
  /// In memory, can be searched.
  public static let loaded = LoadState(rawValue: 3)
}
