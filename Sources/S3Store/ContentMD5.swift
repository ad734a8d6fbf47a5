// The checksum that DeleteObjects asks for where a service knows no newer one.

import Crypto
import FoundationEssentials

/// Content-MD5 (RFC 1864): against accidents on the way, not against forgery.
enum ContentMD5 {
  /// The header's value for a body.
  static func base64(of body: [UInt8]) -> String {
    Data(Insecure.MD5.hash(data: body)).base64EncodedString()
  }
}
