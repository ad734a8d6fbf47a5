// CRC32C as S3 spells it. The arithmetic is in CChecksum.

import CChecksum

/// The CRC32C checksum (Castagnoli, RFC 3720), one of those by which S3 checks uploads.
public enum CRC32C {
  /// The checksum of `bytes`, or of what `checksum` stands for followed by `bytes`.
  public static func checksum(_ bytes: [UInt8], continuing checksum: UInt32 = 0) -> UInt32 {
    bytes.withUnsafeBytes { cchecksum_crc32c(checksum, $0.baseAddress, $0.count) }
  }

  /// The same without the processor's instructions.
  static func portableChecksum(_ bytes: [UInt8]) -> UInt32 {
    bytes.withUnsafeBytes { cchecksum_crc32c_portable(0, $0.baseAddress, $0.count) }
  }

  /// The value of `x-amz-checksum-crc32c`: four bytes, most significant first, in base64.
  public static func base64(_ checksum: UInt32) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    // 32 bits fill five digits of six bits and two bits of a sixth.
    let digits =
      [26, 20, 14, 8, 2].map { alphabet[Int(checksum >> UInt32($0)) & 63] } + [alphabet[Int(checksum & 3) << 4]]
    return String(decoding: digits, as: UTF8.self) + "=="
  }

  /// The inverse of `base64`. Nil when it is not four bytes in base64.
  public static func fromBase64(_ text: String) -> UInt32? {
    let bytes = Array(text.utf8)
    guard bytes.count == 8, bytes[6] == UInt8(ascii: "="), bytes[7] == UInt8(ascii: "=") else { return nil }
    var value: UInt64 = 0
    for byte in bytes[0..<6] {
      guard let digit = base64Digit(byte) else { return nil }
      value = value << 6 | UInt64(digit)
    }
    // Six digits are 36 bits; the last four say nothing.
    return UInt32(value >> 4)
  }

  private static func base64Digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
