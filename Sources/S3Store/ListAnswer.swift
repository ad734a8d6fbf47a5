// The answer of ListObjectsV2 (S3 API reference), read in one pass over its bytes.

import ObjectStore

/// One parsed page of a listing.
struct ListAnswer: Sendable {
  private(set) var page = ListPage(objects: [])
  private var isTruncated: Bool?
  private var token: String?
  private var isEncoded = false

  /// Parses a whole answer.
  /// - Throws: `XMLFault` when it is not a complete, consistent ListBucketResult.
  init(_ bytes: [UInt8]) throws(XMLFault) {
    var scanner = XMLScanner(bytes)
    var raw = RawObject()
    var rawObjects: [RawObject] = []
    var rawPrefixes: [[UInt8]] = []
    var text: [UInt8] = []
    var field = Field.other
    var parent = Field.other
    scan: while true {
      let token = try scanner.next()
      switch token {
      case .start(let name):
        field = Self.field(name, in: scanner)
        text.removeAll(keepingCapacity: true)
        if scanner.depth == 1 {
          guard scanner.matches(name, "ListBucketResult") else { throw XMLFault(reason: "not a ListBucketResult") }
        } else if scanner.depth == 2 {
          parent = field
          raw = RawObject()
        }
      case .text, .verbatim:
        try scanner.appendText(token, to: &text)
      case .end:
        if scanner.depth == 2, parent == .contents {
          try raw.set(field, text)
        } else if scanner.depth == 2, parent == .commonPrefixes, field == .prefix {
          rawPrefixes.append(text)
        } else if scanner.depth == 1 {
          if parent == .contents { rawObjects.append(raw) } else { set(parent, text) }
        }
        // What follows an end is white space, or belongs to no field.
        field = .other
        text.removeAll(keepingCapacity: true)
      case .finished:
        break scan
      }
    }
    try finish(rawObjects, rawPrefixes)
  }

  /// The elements that matter.
  private enum Field {
    case contents, commonPrefixes, key, prefix, size, etag, lastModified, isTruncated, nextToken, encodingType, other
  }

  private static func field(_ name: Range<Int>, in scanner: XMLScanner) -> Field {
    // The length decides between most names, so that a page of 1,000 keys costs few comparisons.
    switch name.count {
    case 3: scanner.matches(name, "Key") ? .key : .other
    case 4: scanner.matches(name, "Size") ? .size : scanner.matches(name, "ETag") ? .etag : .other
    case 6: scanner.matches(name, "Prefix") ? .prefix : .other
    case 8: scanner.matches(name, "Contents") ? .contents : .other
    case 11: scanner.matches(name, "IsTruncated") ? .isTruncated : .other
    case 12:
      scanner.matches(name, "LastModified")
        ? .lastModified : scanner.matches(name, "EncodingType") ? .encodingType : .other
    case 14: scanner.matches(name, "CommonPrefixes") ? .commonPrefixes : .other
    case 21: scanner.matches(name, "NextContinuationToken") ? .nextToken : .other
    default: .other
    }
  }

  /// An object whose key may still be encoded: how, may be said after it.
  private struct RawObject {
    var key: [UInt8]?
    var size: Int64?
    var etag: String?
    var modified: Int64 = 0

    mutating func set(_ field: Field, _ text: [UInt8]) throws(XMLFault) {
      switch field {
      case .key: key = text
      case .size:
        guard let value = Int64(String(decoding: text, as: UTF8.self)), value >= 0 else {
          throw XMLFault(reason: "a size that is no number")
        }
        size = value
      case .etag: etag = String(decoding: text, as: UTF8.self)
      case .lastModified: modified = Timestamp.parseISO8601(text) ?? 0
      default: break
      }
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

  private mutating func finish(_ rawObjects: [RawObject], _ rawPrefixes: [[UInt8]]) throws(XMLFault) {
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
      page.objects.append(
        ObjectInfo(key: try key(rawKey), size: size, etag: ETag(normalizing: etag), modified: raw.modified))
    }
    for rawPrefix in rawPrefixes { page.directories.append(try key(rawPrefix)) }
    // Services that keep real directories walk them name by name, which is not quite the order of whole keys.
    if !page.objects.indices.dropFirst().allSatisfy({ page.objects[$0 - 1].key < page.objects[$0].key }) {
      page.objects.sort { $0.key < $1.key }
    }
    if !page.directories.indices.dropFirst().allSatisfy({ page.directories[$0 - 1] < page.directories[$0] }) {
      page.directories.sort()
    }
  }

  private func key(_ raw: [UInt8]) throws(XMLFault) -> ObjectKey {
    guard let bytes = isEncoded ? PercentEncoding.decodedForm(raw[...]) : raw,
      let text = String(validating: bytes, as: UTF8.self)
    else { throw XMLFault(reason: "a key that is not percent-encoded UTF-8: \(String(decoding: raw, as: UTF8.self))") }
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
