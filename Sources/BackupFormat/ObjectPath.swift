// Joining of object keys. An element `..` has no meaning in a key and is kept as it is.

/// Builds object keys of path elements.
public enum ObjectPath {
  /// `path` without leading, trailing and doubled slashes and without `.` elements.
  public static func clean(_ path: String) -> String {
    elements(of: path).joined(separator: "/")
  }

  /// The parts joined by single slashes; empty parts vanish.
  public static func join(_ parts: String...) -> String {
    parts.flatMap(elements).joined(separator: "/")
  }

  private static func elements(of path: String) -> [String] {
    path.utf8.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }.filter { $0 != "." }
  }
}
