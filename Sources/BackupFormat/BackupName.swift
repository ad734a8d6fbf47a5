// The rule for names of backups.

/// Checks names of backups.
public enum BackupName {
  /// Greatest length in bytes.
  public static let maximumLength = 128

  /// Checks that `name` may name a new backup: a letter or `_`, then letters, digits and `_`, at most 128 in all.
  ///
  /// The rule is that of milvus-backup's `create`. Existing backups may break it: check only names of new ones.
  ///
  /// - Throws: a ``BackupFormatError`` with code `invalidName` that says what is wrong.
  public static func validate(_ name: String) throws(BackupFormatError) {
    if let problem = problem(of: name) {
      throw BackupFormatError(
        .invalidName,
        "The backup name \(name.debugDescription) \(problem). Allowed are letters, digits and '_', not beginning with a"
          + " digit, up to \(maximumLength) characters.")
    }
  }

  private static func problem(of name: String) -> String? {
    guard let first = name.utf8.first else { return "is empty" }
    if name.utf8.count > maximumLength { return "is \(name.utf8.count) bytes long" }
    if isDigit(first) { return "begins with a digit" }
    for character in name where !character.utf8.allSatisfy(isNameByte) {
      return "contains \(String(character).debugDescription)"
    }
    return nil
  }

  /// Whether `byte` is an ASCII letter, digit or underscore.
  static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
    default: isDigit(byte)
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }
}
