// The JSON that `get` prints: milvus-backup's BackupInfoBrief, indented by four spaces.
//
// Source: the milvus-backup format. The brief is the backup's own message without partitions, segments and the fields
// that concern replication, plus `meta_size`.

import BackupEngine
import BackupFormat

enum BriefJSON {
  /// The text for a backup.
  static func text(of description: BackupCatalog.Description) -> String {
    var brief = description.info
    brief.rbacMeta = nil
    brief.flushAllMessagesBase64 = [:]
    brief.controlChannelName = ""
    brief.physicalChannelNames = []
    for index in brief.collectionBackups.indices {
      brief.collectionBackups[index].partitionBackups = []
      brief.collectionBackups[index].l0Segments = []
      brief.collectionBackups[index].virtualChannelNames = []
      brief.collectionBackups[index].physicalChannelNames = []
    }
    var bytes = MetaFiles.encode(.full, of: brief)
    if bytes.last == UInt8(ascii: "}") { bytes.removeLast() }
    bytes += Array(",\"meta_size\":\(description.metaSize)}".utf8)
    return String(decoding: indented(bytes), as: UTF8.self)
  }

  /// Compact JSON with a line for each element, as Go's MarshalIndent writes it.
  static func indented(_ json: [UInt8]) -> [UInt8] {
    var output: [UInt8] = []
    var depth = 0
    var isText = false
    var isEscaped = false
    func newLine() {
      output.append(UInt8(ascii: "\n"))
      output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 4 * depth))
    }
    for (position, byte) in json.enumerated() {
      if isText {
        output.append(byte)
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isText = false
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        output.append(byte)
        let next = position + 1 < json.count ? json[position + 1] : 0
        // Empty ones stay on one line.
        guard next != UInt8(ascii: "}"), next != UInt8(ascii: "]") else { continue }
        depth += 1
        newLine()
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        let previous = position > 0 ? json[position - 1] : 0
        if previous != UInt8(ascii: "{"), previous != UInt8(ascii: "[") {
          depth -= 1
          newLine()
        }
        output.append(byte)
      case UInt8(ascii: ","):
        output.append(byte)
        newLine()
      case UInt8(ascii: ":"):
        output.append(byte)
        output.append(UInt8(ascii: " "))
      default:
        if byte == UInt8(ascii: "\"") { isText = true }
        output.append(byte)
      }
    }
    return output
  }
}
