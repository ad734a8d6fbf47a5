// What a directory names. In a backup most directories name one thing, and a dictionary of one takes 112 bytes.

import ObjectStore

/// Inode numbers by name: a value.
struct Children: Sequence, ExpressibleByDictionaryLiteral {
  private enum Storage {
    case none
    case one(ObjectKey, InodeNumber)
    case many([ObjectKey: InodeNumber])
  }

  private var storage = Storage.none

  init(dictionaryLiteral elements: (ObjectKey, InodeNumber)...) {
    for (name, inode) in elements { self[name] = inode }
  }

  var count: Int {
    switch storage {
    case .none: 0
    case .one: 1
    case .many(let all): all.count
    }
  }

  var isEmpty: Bool { count == 0 }

  /// The numbers, in no order.
  var values: [InodeNumber] { map(\.inode) }

  subscript(name: ObjectKey) -> InodeNumber? {
    get {
      switch storage {
      case .none: nil
      case .one(let only, let inode): only == name ? inode : nil
      case .many(let all): all[name]
      }
    }
    set {
      switch storage {
      case .none:
        if let newValue { storage = .one(name, newValue) }
      case .one(let only, let inode):
        if only != name, let newValue {
          storage = .many([only: inode, name: newValue])
        } else if only == name {
          storage = newValue.map { .one(name, $0) } ?? .none
        }
      case .many(var all):
        // Taken out, so that it is not copied.
        storage = .none
        all[name] = newValue
        if !all.isEmpty { storage = .many(all) }
      }
    }
  }

  func makeIterator() -> AnyIterator<(name: ObjectKey, inode: InodeNumber)> {
    switch storage {
    case .none: return AnyIterator { nil }
    case .one(let name, let inode):
      var rest: (name: ObjectKey, inode: InodeNumber)? = (name, inode)
      return AnyIterator { rest.take() }
    case .many(let all):
      var rest = all.makeIterator()
      return AnyIterator { rest.next().map { ($0.key, $0.value) } }
    }
  }
}
