// The answer of ListObjectsV2 (S3 API reference), read in one pass over its bytes.

import ObjectStore

/// One parsed page of a listing.
struct ListAnswer: Sendable {
  private(set) var page = ListPage(objects: [])
  private var isTruncated: Bool?
  private var token: String?
  private var isEncoded = false
  /// All keys and prefixes as they came. Whether they are encoded may be said behind them.
  private var names: [UInt8] = []
  private var rawObjects: [RawObject] = []
  private var rawPrefixes: [Range<Int>] = []

  /// Parses a whole answer.
  /// - Throws: `XMLFault` when it is not a complete, consistent ListBucketResult.
  init(_ bytes: [UInt8]) throws(XMLFault) {
    let document = bytes.span
    names.reserveCapacity(bytes.count / 4)
    var scanner = XMLScanner()
    var raw = RawObject()
    var text: [UInt8] = []
    var field = Field.other
    var parent = Field.other
    scan: while true {
      let token = try scanner.next(in: document)
      switch token {
      case .start(let name):
        field = Self.field(name, in: document)
        text.removeAll(keepingCapacity: true)
        if scanner.depth == 1 {
          guard XMLScanner.matches(name, "ListBucketResult", in: document) else {
            throw XMLFault(reason: "not a ListBucketResult")
          }
        } else if scanner.depth == 2 {
          parent = field
          raw = RawObject()
        }
      case .text, .verbatim:
        if field != .other { try XMLScanner.appendText(token, in: document, to: &text) }
      case .end:
        if scanner.depth == 2, parent == .contents {
          try set(field, of: &raw, text)
        } else if scanner.depth == 2, parent == .commonPrefixes, field == .prefix {
          rawPrefixes.append(keep(text))
        } else if scanner.depth == 1 {
          if parent == .contents { rawObjects.append(raw) } else { set(parent, text) }
        }
        // What follows an end is white space, or belongs to no field.
        field = .other
      case .finished:
        break scan
      }
    }
    try finish()
  }

  /// The elements that matter.
  private enum Field {
    case contents, commonPrefixes, key, prefix, size, etag, lastModified, isTruncated, nextToken, encodingType, other
  }

  private static func field(_ name: Range<Int>, in bytes: Span<UInt8>) -> Field {
    // The length decides between most names, so that a page of 1,000 keys costs few comparisons.
    let (text, field): (StaticString, Field) =
      switch name.count {
      case 3: ("Key", .key)
      case 4: bytes[name.lowerBound] == UInt8(ascii: "S") ? ("Size", .size) : ("ETag", .etag)
      case 6: ("Prefix", .prefix)
      case 8: ("Contents", .contents)
      case 11: ("IsTruncated", .isTruncated)
      case 12:
        bytes[name.lowerBound] == UInt8(ascii: "L") ? ("LastModified", .lastModified) : ("EncodingType", .encodingType)
      case 14: ("CommonPrefixes", .commonPrefixes)
      case 21: ("NextContinuationToken", .nextToken)
      default: ("", .other)
      }
    return XMLScanner.matches(name, text, in: bytes) ? field : .other
  }

  /// An object whose key is still where it was kept.
  private struct RawObject {
    var key: Range<Int>?
    var size: Int64?
    var etag: ETag?
    var modified: Int64 = 0
  }

  private mutating func set(_ field: Field, of object: inout RawObject, _ text: [UInt8]) throws(XMLFault) {
    switch field {
    case .key: object.key = keep(text)
    case .size:
      guard let value = Int64(String(decoding: text, as: UTF8.self)), value >= 0 else {
        throw XMLFault(reason: "a size that is no number")
      }
      object.size = value
    case .etag: object.etag = ETag(normalizing: String(decoding: text, as: UTF8.self))
    case .lastModified: object.modified = Timestamp.parseISO8601(text) ?? 0
    default: break
    }
  }

  private mutating func set(_ field: Field, _ text: [UInt8]) {
    switch field {
    case .isTruncated: isTruncated = text.elementsEqual("true".utf8)
    case .nextToken: token = String(decoding: text, as: UTF8.self)
    case .encodingType: isEncoded = text.elementsEqual("url".utf8)
    default: break
    }
  }

  private mutating func keep(_ name: [UInt8]) -> Range<Int> {
    let start = names.count
    names.append(contentsOf: name)
    return start..<names.count
  }

  private mutating func finish() throws(XMLFault) {
    guard let isTruncated else { throw XMLFault(reason: "no IsTruncated") }
    guard !isTruncated || token?.isEmpty == false else {
      throw XMLFault(reason: "IsTruncated without NextContinuationToken")
    }
    page.continuation = isTruncated ? token : nil
    page.objects.reserveCapacity(rawObjects.count)
    for raw in rawObjects {
      guard let rawKey = raw.key, let size = raw.size, let etag = raw.etag else {
        throw XMLFault(reason: "an object without Key, Size or ETag")
      }
      page.objects.append(ObjectInfo(key: try key(rawKey), size: size, etag: etag, modified: raw.modified))
    }
    for rawPrefix in rawPrefixes { page.directories.append(try key(rawPrefix)) }
    // Services that keep real directories walk them name by name, which is not quite the order of whole keys.
    if !page.objects.indices.dropFirst().allSatisfy({ page.objects[$0 - 1].key < page.objects[$0].key }) {
      page.objects.sort { $0.key < $1.key }
      page.isOrdered = false
    }
    if !page.directories.indices.dropFirst().allSatisfy({ page.directories[$0 - 1] < page.directories[$0] }) {
      page.directories.sort()
    }
  }

  private func key(_ range: Range<Int>) throws(XMLFault) -> ObjectKey {
    let raw = names[range]
    let isPlain = !isEncoded || !raw.contains { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }
    let text =
      isPlain
      ? String(validating: raw, as: UTF8.self)
      : PercentEncoding.decodedForm(raw).flatMap { String(validating: $0, as: UTF8.self) }
    guard let text else {
      throw XMLFault(reason: "a key that is not percent-encoded UTF-8: \(String(decoding: raw, as: UTF8.self))")
    }
    return ObjectKey(text)
  }
}

extension ETag {
  /// One spelling for all answers of a service, which quotes in headers what it may not quote in XML.
  init(normalizing text: String) {
    let isBare = !text.hasPrefix("\"") && !text.hasPrefix("W/")
    self.init(isBare ? "\"\(text)\"" : text)
  }
}
